#include <doctest/doctest.h>

#include <tinyllm/model/text/sentencepiece_file.h>
#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/random.h>

#include "error_of.h"
#include "model/text/sample_text.h"
#include "temp_folder.h"

#include <bit>
#include <limits>

namespace tinyllm::test {
namespace {

// Fields of protobuf messages. Fields that are appended to a message replace what it has, or are added to its lists.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  bytes += static_cast<char>(value);
  return bytes;
}
std::string number(uint64_t field, uint64_t value) { return varint(field << 3) + varint(value); }
std::string bytes(uint64_t field, const std::string& value) {
  return varint(field << 3 | 2) + varint(value.size()) + value;
}
std::string real(uint64_t field, float value) {
  std::string result = varint(field << 3 | 5);
  for (int shift = 0; shift < 32; shift += 8) result += static_cast<char>(std::bit_cast<uint32_t>(value) >> shift);
  return result;
}
std::string piece(const std::string& text, float score = -1, uint64_t type = 1) {
  return bytes(1, bytes(1, text) + real(2, score) + number(3, type));
}

std::string sample_file() {
  const TempFolder folder;
  sample_tokenizer().save_file(folder / "model");
  return read_file(folder / "model");
}

SentencePieceTokenizer load(const std::string& file) {
  const TempFolder folder;
  write_file(folder / "model", file);
  return SentencePieceTokenizer::load(folder / "model");
}

std::string load_error(const std::string& file) {
  const TempFolder folder;
  write_file(folder / "model", file);
  const std::string message = error_of([&] { SentencePieceTokenizer::load(folder / "model"); });
  const std::string path = (folder / "model").string() + ": ";
  return message.starts_with(path) ? message.substr(path.size()) : message;
}

}  // namespace

TEST_CASE("pieces are read with their texts, scores and types; other fields are passed over") {
  const std::string spec = number(3, 2) + number(35, 1) + real(10, 1) + bytes(31, "\n");
  const std::string normalizer = bytes(1, "identity") + bytes(2, "") + number(3, 0) + number(4, 0);
  const std::string file = piece("a", -2.5f) + bytes(2, spec) + bytes(3, normalizer) +
                           bytes(1, bytes(1, "\xE2\x96\x81")) + piece("<0x0A>", 0, 6) + bytes(4, "self test") +
                           varint(200 << 3 | 1) + "12345678";
  const std::vector<SentencePiece> pieces = read_sentencepieces(file, "file");
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[0].text == "a");
  CHECK(pieces[0].score == -2.5f);
  CHECK(pieces[0].type == SentencePiece::Type::normal);
  CHECK(pieces[1].text == "\xE2\x96\x81");
  CHECK(pieces[1].score == 0);
  CHECK(pieces[1].type == SentencePiece::Type::normal);
  CHECK(pieces[2].type == SentencePiece::Type::byte);
}

TEST_CASE("a tokenizer that would encode in another way than its file says is refused, with the reason") {
  const std::string file = sample_file();
  REQUIRE(load_error(file) == "no error");
  CHECK(load(file).hash() == sample_tokenizer().hash());
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const std::string made = "expected a tokenizer as train_tokenizer makes: ";
  const std::string next = fmt::format("piece {}: ", sample_tokenizer().size());
  const std::pair<std::string, std::string> cases[] = {
      {bytes(3, bytes(2, "map")), made + "text is not normalised"},
      {bytes(5, bytes(2, "map")), made + "text is not normalised"},
      {bytes(2, number(3, 1)), made + "byte pair encoding"},
      {bytes(2, number(35, 0)), made + "bytes as a fallback"},
      {bytes(2, number(24, 1)), made + "no blank is added to a text"},
      {bytes(3, number(3, 1)), made + "no blank is added to a text"},
      {bytes(3, number(4, 1)), made + "blanks are kept as they are"},
      {bytes(3, number(5, 0)), made + "blanks are kept as they are"},
      {piece(""), next + "is empty"},
      {piece("<s>"), next + "is there twice"},
      {piece(std::string(257, 'a')), next + "has 257 bytes, expected at most 256"},
      {piece("\xFF"), next + "line 1, byte 1: 0xFF is not UTF-8"},
      {piece("zz", nan), next + "has the score nan, expected a finite number"},
      {piece("zz", -infinity), next + "has the score -inf, expected a finite number"},
      {piece("zz", 0, 5), next + "has type 5, expected normal, unknown, control, user-defined or byte"},
      {piece("zz", 0, 7), next + "has type 7, expected normal, unknown, control, user-defined or byte"},
      {piece("zz", 0, 2), next + "is a second unknown token"},
      {piece("zz", 0, 4), next + "is user-defined, expected that of the line feed and the markers only"},
      {piece("<0x4>", 0, 6), next + "is not a byte, as <0x41>"},
      {piece("<0x0a>", 0, 6), next + "is not a byte, as <0x41>"},
      {piece("a b"), next + "has a blank, expected U+2581"},
      {piece("\xF0\x9F\x98\x80\xF0\x9F\x98\x81"),
       fmt::format("a character of piece {} is not a piece", sample_tokenizer().size())},
  };
  for (const auto& [added, error] : cases) CHECK(load_error(file + added) == error);
}

TEST_CASE("bytes that are not a SentencePiece model are refused") {
  const std::pair<std::string, std::string> cases[] = {
      {"\x0A\xFF\x01", "255 bytes expected, 0 left before byte 3"},
      {"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "18446744073709551615 bytes expected, 0 left before byte 11"},
      {"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "a number of more than 64 bits before byte 11"},
      {"\x0B", "wire type 3 before byte 1"},
      {number(1, 5), "field 1 of another type before byte 2"},
      {bytes(1, number(1, 5)), "field 1 of another type before byte 4"},
      {real(9, 1).substr(0, 3), "4 bytes expected, 2 left before byte 1"},
  };
  for (const auto& [file, error] : cases) {
    CHECK(load_error(file) == "is not a SentencePiece model, or is damaged: " + error);
  }
  CHECK(load_error("") == "expected a tokenizer as train_tokenizer makes: byte pair encoding");
  // Only <pad>, <s>, a user-defined piece of a zero byte, and a marker.
  const std::string settings = bytes(2, number(3, 2) + number(35, 1)) + bytes(3, number(3, 0) + number(4, 0));
  CHECK(load_error(settings + piece("<pad>", 0, 3) + piece("<s>", 0, 3) + piece(std::string(1, '\0'), 0, 4)) ==
        "piece 2 is not </s>");
}

TEST_CASE("a damaged tokenizer is refused with an Error, or still gives every text back") {
  const std::string file = sample_file();
  const std::string text = "题 <|user|> 12  a\n";
  const auto is_sound = [&](const std::string& damaged) {
    try {
      const SentencePieceTokenizer tokenizer = load(damaged);
      CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
    } catch (const Error&) {
    }
  };
  for (size_t size = 0; size < file.size(); size += 97) is_sound(file.substr(0, size));
  Random random(5);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = file;
    for (int64_t flips = 1 + random.below(3); flips > 0; --flips) {
      damaged[static_cast<size_t>(random.below(static_cast<int64_t>(file.size())))] =
          static_cast<char>(random.below(256));
    }
    is_sound(damaged);
  }
}

}  // namespace tinyllm::test
