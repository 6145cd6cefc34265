#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/encoding.h>
#include <tinyllm/tensor/base/error.h>

#include "runtime/documents/encode.h"

#include <string>
#include <vector>

namespace tinyllm::test {

using namespace documents;
namespace {

constexpr std::string_view kSimplified =
    "河边的柳树已经发芽了。早上孩子们背着书包去学校，老人坐在桥头，一边晒太阳，一边说起从前的事情。"
    "他说那一年水很大，连这座桥也差一点被冲走；后来大家一起把石头搬上来，才有了今天的样子。";
constexpr std::string_view kTraditional =
    "河邊的柳樹已經發芽了。早上孩子們背著書包去學校，老人坐在橋頭，一邊曬太陽，一邊說起從前的事情。"
    "他說那一年水很大，連這座橋也差一點被沖走；後來大家一起把石頭搬上來，才有了今天的樣子。";
constexpr std::string_view kFrench =
    "Le café était fermé ; nous avons dîné chez une amie, où l’on parlait déjà de l’été.";
constexpr std::string_view kEnglish =
    "The willows by the river are green, and the old man on the bridge tells his story.";

struct Case {
  std::string_view text;
  const char* written;  // As the C library calls the encoding.
  Encoding encoding;
};

const std::vector<Case> kCases = {
    {kSimplified, "UTF-8", Encoding::utf8},
    {kTraditional, "UTF-8", Encoding::utf8},
    {kFrench, "UTF-8", Encoding::utf8},
    {kEnglish, "UTF-8", Encoding::utf8},
    {kSimplified, "UTF-16LE", Encoding::utf16le},
    {kEnglish, "UTF-16LE", Encoding::utf16le},
    {kSimplified, "UTF-16BE", Encoding::utf16be},
    {kEnglish, "UTF-16BE", Encoding::utf16be},
    {kSimplified, "GB2312", Encoding::gb18030},
    {kSimplified, "GBK", Encoding::gb18030},
    {kTraditional, "GBK", Encoding::gb18030},
    {kSimplified, "GB18030", Encoding::gb18030},
    {kTraditional, "BIG5", Encoding::big5},
    {kTraditional, "CP950", Encoding::big5},
    {kFrench, "WINDOWS-1252", Encoding::windows1252},
};

std::string decode(std::string_view bytes, Encoding encoding, size_t chunk) {
  Decoder decoder(encoding);
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += chunk) decoder.decode(bytes.substr(i, chunk), text);
  decoder.finish(text);
  CHECK(decoder.undecodable() == 0);
  return text;
}

}  // namespace

TEST_CASE("the encoding is found from a beginning of any length, cut anywhere") {
  for (const Case& c : kCases) {
    const std::string bytes = encode(c.text, c.written);
    for (size_t length = 40; length <= bytes.size(); ++length) {
      CAPTURE(c.written);
      CAPTURE(length);
      CHECK(encoding_name(detect_encoding(bytes.substr(0, length))) == encoding_name(c.encoding));
    }
  }
}

TEST_CASE("a byte order mark decides") {
  CHECK(detect_encoding("\xEF\xBB\xBFplain") == Encoding::utf8);
  CHECK(detect_encoding("\xFF\xFE\x41\x01") == Encoding::utf16le);
  CHECK(detect_encoding("\xFE\xFF\x41\x01") == Encoding::utf16be);
}

TEST_CASE("UTF-8 with broken bytes and stray control characters is UTF-8") {
  std::string text;
  for (int i = 0; i < 20; ++i) text += std::string(kSimplified) + "\xFF\xE6\n" + '\0' + "\x1B[0m";
  CHECK(detect_encoding(text) == Encoding::utf8);
  CHECK(detect_encoding("") == Encoding::utf8);
}

TEST_CASE("a long preface in ASCII does not hide what comes after it") {
  std::string preface;
  for (int i = 0; i < 201; ++i) preface += kEnglish;  // Of an odd number of bytes.
  CHECK(detect_encoding(preface + encode(kSimplified, "GBK")) == Encoding::gb18030);
  CHECK(detect_encoding(preface + encode(kTraditional, "BIG5")) == Encoding::big5);
}

TEST_CASE("bytes of programs and of compressed files are binary") {
  std::string zeros(1000, '\0');
  std::string noise;
  uint32_t state = 1;
  for (int i = 0; i < 5000; ++i) noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  CHECK(detect_encoding(zeros) == Encoding::binary);
  CHECK(detect_encoding(noise) == Encoding::binary);
  CHECK(detect_encoding("\x7F"
                        "ELF\x02\x01\x01" +
                        zeros.substr(0, 9) + "\x03") == Encoding::binary);
  CHECK_THROWS_WITH_AS(Decoder{Encoding::binary}, "decoder: binary data are not text", Error);
}

TEST_CASE("decoding gives the text back, whatever the chunks") {
  for (const Case& c : kCases) {
    const std::string bytes = encode(c.text, c.written);
    for (const size_t chunk : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{1} << 20}) {
      CAPTURE(c.written);
      CAPTURE(chunk);
      CHECK(decode(bytes, c.encoding, chunk) == c.text);
    }
  }
  // Longer than what is converted at a time, with characters of four bytes in GB 18030 and in UTF-16.
  std::string text;
  while (text.size() < 100000) text += "𠮷野家的牛肉饭 𝄞 ༄ ok ";
  for (const auto& [written, encoding] : {std::pair{"GB18030", Encoding::gb18030}, {"UTF-16LE", Encoding::utf16le}}) {
    CHECK(decode(encode(text, written), encoding, 4097) == text);
  }
}

TEST_CASE("a byte order mark at the beginning is left out, one further on is kept") {
  for (const auto& [written, encoding] :
       {std::pair{"UTF-8", Encoding::utf8}, {"UTF-16BE", Encoding::utf16be}, {"GB18030", Encoding::gb18030}}) {
    for (const size_t chunk : {size_t{1}, size_t{100}}) {
      CHECK(decode(encode("\uFEFF门\uFEFF前", written), encoding, chunk) == "门\uFEFF前");
    }
  }
}

TEST_CASE("what cannot be decoded is replaced and counted") {
  struct Broken {
    Encoding encoding;
    std::string bytes;
    std::string text;
    int64_t undecodable;
  };
  const std::vector<Broken> cases = {
      {Encoding::utf8,
       "a\xFF"
       "b\xE6\xB2"
       "c",
       "a\uFFFDb\uFFFDc", 3},
      {Encoding::utf8, "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD", 3},  // A surrogate.
      {Encoding::utf8, "\xE6\xB2\xB3\xE6\xB2", "河\uFFFD", 2},    // The file ends within a character.
      {Encoding::gb18030, "\xBA\xD3\xFF.", "河\uFFFD.", 1},
      {Encoding::gb18030, "\xBA\xD3\xBA", "河\uFFFD", 1},
      {Encoding::big5, "\xAA\x65\xFF.", "河\uFFFD.", 1},
      {Encoding::utf16le,
       std::string("a\0\0\xDC"
                   "b\0",
                   6),
       "a\uFFFDb", 2},  // Half a surrogate pair.
      {Encoding::utf16le, std::string("a\0b", 3), "a\uFFFD", 1},
  };
  for (const Broken& c : cases) {
    for (const size_t chunk : {size_t{1}, size_t{100}}) {
      CAPTURE(encoding_name(c.encoding));
      CAPTURE(c.text);
      Decoder decoder(c.encoding);
      std::string text;
      for (size_t i = 0; i < c.bytes.size(); i += chunk)
        decoder.decode(std::string_view(c.bytes).substr(i, chunk), text);
      decoder.finish(text);
      CHECK(text == c.text);
      CHECK(decoder.undecodable() == c.undecodable);
    }
  }
}

}  // namespace tinyllm::test
