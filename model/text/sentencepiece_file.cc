#include <tinyllm/model/text/sentencepiece_file.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <bit>
#include <cmath>
#include <set>

namespace tinyllm {
namespace {

constexpr size_t kMaxPieces = 1 << 20;
constexpr size_t kMaxPieceBytes = 256;  // The trainer makes pieces of at most 16 characters.

// Source: "Encoding", Protocol Buffers documentation.
enum class Wire : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct Field {
  uint64_t number = 0;
  Wire wire = Wire::varint;
  uint64_t value = 0;      // If the field is a number.
  std::string_view bytes;  // If it is a text or a message.
};

// Reads the fields of a protobuf message one by one.
class Message {
 public:
  Message(std::string_view bytes, std::string_view file, std::string_view what)
      : rest_(bytes), file_(file), what_(what) {}

  // Reads the next field. Returns false at the end.
  bool next(Field& field) {
    if (rest_.empty()) return false;
    const uint64_t key = varint();
    field = {.number = key >> 3, .wire = static_cast<Wire>(key & 7), .value = 0, .bytes = {}};
    switch (field.wire) {
      case Wire::varint:
        field.value = varint();
        return true;
      case Wire::fixed64:
        field.value = fixed(8);
        return true;
      case Wire::bytes:
        field.bytes = take(varint());
        return true;
      case Wire::fixed32:
        field.value = fixed(4);
        return true;
    }
    fail(fmt::format("wire type {}", key & 7));
  }

  std::string_view bytes(const Field& field) const {
    expect(field, Wire::bytes);
    return field.bytes;
  }
  Message message(const Field& field) const { return {bytes(field), file_, what_}; }
  uint64_t number(const Field& field) const {
    expect(field, Wire::varint);
    return field.value;
  }
  float real(const Field& field) const {
    expect(field, Wire::fixed32);
    return std::bit_cast<float>(static_cast<uint32_t>(field.value));
  }

 private:
  [[noreturn]] void fail(std::string_view found) const {
    throw Error("{}: is not a SentencePiece model, or is damaged: {} before byte {}", what_, found,
                rest_.data() - file_.data());
  }
  void expect(const Field& field, Wire wire) const {
    if (field.wire != wire) fail(fmt::format("field {} of another type", field.number));
  }

  std::string_view take(uint64_t size) {
    if (size > rest_.size()) fail(fmt::format("{} bytes expected, {} left", size, rest_.size()));
    const std::string_view taken = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  // Little-endian.
  uint64_t fixed(size_t size) {
    const std::string_view taken = take(size);
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) value |= uint64_t{static_cast<unsigned char>(taken[i])} << (8 * i);
    return value;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("a number of more than 64 bits");
  }

  std::string_view rest_;
  std::string_view file_;
  std::string_view what_;
};

void read_trainer_spec(Message message, SentencePieceFile& read, std::string_view what) {
  for (Field field; message.next(field);) {
    if (field.number == 3) {
      const uint64_t model = message.number(field);
      if (model < 1 || model > 4) throw Error("{}: has model type {}, expected 1 to 4", what, model);
      read.model = static_cast<SentencePieceFile::Model>(model);
    }
    if (field.number == 24) read.blank_as_suffix = message.number(field) != 0;
    if (field.number == 35) read.byte_fallback = message.number(field) != 0;
    if (field.number == 42) read.end_id = static_cast<int32_t>(message.number(field));
    if (field.number == 43) read.pad_id = static_cast<int32_t>(message.number(field));
    if (field.number == 44) read.unknown_text = message.bytes(field);
  }
}

void read_normalizer_spec(Message message, SentencePieceFile& read) {
  for (Field field; message.next(field);) {
    if (field.number == 2) read.characters_map = message.bytes(field);
    if (field.number == 3) read.add_dummy_prefix = message.number(field) != 0;
    if (field.number == 4) read.remove_extra_blanks = message.number(field) != 0;
    if (field.number == 5) read.escape_blanks = message.number(field) != 0;
  }
}

// A denormaliser changes decoded text. It does so only if it has a map.
void read_denormalizer_spec(Message message, SentencePieceFile& read) {
  for (Field field; message.next(field);) {
    if (field.number == 2 && !message.bytes(field).empty()) read.has_denormalizer = true;
  }
}

SentencePiece read_piece(Message message, std::string_view name) {
  using Type = SentencePiece::Type;
  SentencePiece piece;
  uint64_t type = static_cast<uint64_t>(Type::normal);
  for (Field field; message.next(field);) {
    if (field.number == 1) {
      const std::string_view text = message.bytes(field);
      if (text.size() > kMaxPieceBytes) {
        throw Error("{}: has {} bytes, expected at most {}", name, text.size(), kMaxPieceBytes);
      }
      piece.text = text;
    }
    if (field.number == 2) piece.score = message.real(field);
    if (field.number == 3) type = message.number(field);
  }
  if (piece.text.empty()) throw Error("{}: is empty", name);
  check_utf8(piece.text, name);
  if (!std::isfinite(piece.score)) throw Error("{}: has the score {}, expected a finite number", name, piece.score);
  if (type < 1 || type > 6 || type == static_cast<uint64_t>(Type::unused)) {
    throw Error("{}: has type {}, expected normal, unknown, control, user-defined or byte", name, type);
  }
  piece.type = static_cast<Type>(type);
  return piece;
}

void check(const SentencePieceFile& read, std::string_view what) {
  const auto expect = [&](bool is_right, std::string_view expected) {
    if (!is_right) throw Error("{}: expected a tokenizer as train_tokenizer makes: {}", what, expected);
  };
  expect(read.model == SentencePieceFile::Model::bpe, "byte pair encoding");
  expect(read.byte_fallback, "bytes as a fallback");
  expect(read.characters_map.empty() && !read.has_denormalizer, "text is not normalised");
  expect(!read.add_dummy_prefix && !read.blank_as_suffix, "no blank is added to a text");
  expect(!read.remove_extra_blanks && read.escape_blanks, "blanks are kept as they are");
}

}  // namespace

SentencePieceFile read_sentencepiece_file(std::string_view file, std::string_view what) {
  SentencePieceFile read;
  std::set<std::string, std::less<>> texts;
  Message message(file, file, what);
  for (Field field; message.next(field);) {
    if (field.number == 1) {
      const std::string name = fmt::format("{}: piece {}", what, read.pieces.size());
      if (read.pieces.size() == kMaxPieces) throw Error("{}: has more than {} pieces", what, kMaxPieces);
      read.pieces.push_back(read_piece(message.message(field), name));
      if (!texts.insert(read.pieces.back().text).second) throw Error("{}: is there twice", name);
    }
    if (field.number == 2) read_trainer_spec(message.message(field), read, what);
    if (field.number == 3) read_normalizer_spec(message.message(field), read);
    if (field.number == 5) read_denormalizer_spec(message.message(field), read);
  }
  return read;
}

std::vector<SentencePiece> read_sentencepieces(std::string_view file, std::string_view what) {
  SentencePieceFile read = read_sentencepiece_file(file, what);
  check(read, what);
  return std::move(read.pieces);
}

}  // namespace tinyllm
