#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Tokens of fixed meaning: the first of the vocabulary, then the markers of the prompt template.
enum class Marker : uint8_t { system, user, assistant, sep };
inline constexpr int32_t kPadId = 0;
inline constexpr int32_t kBosId = 1;
inline constexpr int32_t kEosId = 2;
inline constexpr int32_t kUnkId = 3;

/// The file of a tokenizer in its folder, in the format of SentencePiece.
inline constexpr const char* kTokenizerFile = "tokenizer.model";

/// Byte pair encoding that gives every text back byte for byte: text is not normalised, rare characters are encoded as
/// bytes, digits are single tokens, line feeds and runs of blanks are kept. Const methods may be called from several
/// threads at once.
class Tokenizer {
 public:
  struct TrainOptions {
    int64_t vocab_size = 16000;
  };
  /// Learns a vocabulary from UTF-8 texts with the trainer of SentencePiece, line by line. It is smaller than asked for
  /// when the texts have fewer different pieces. The commonest characters get at most half of the tokens; all others,
  /// and always U+2581, U+2585, tab and NUL, are encoded as bytes. No line is left out. Throws Error when there is no
  /// text, or when the size is below 300.
  static Tokenizer train(std::span<const std::string> texts, const TrainOptions& options);

  /// Reads a `tokenizer.model`, or the one in a folder. The file may come from a stranger. Throws Error on a file that
  /// is not a SentencePiece model, lacks bytes or markers, or would encode in another way than the models of `train`.
  static Tokenizer load(const std::filesystem::path& path);
  void save(const std::filesystem::path& path) const;

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  int64_t size() const;
  /// Hash of everything that affects encoding. If two are equal, token ids mean the same.
  uint64_t hash() const;
  int32_t id(Marker marker) const;
  /// Whether an answer ends with this token.
  bool is_end(int32_t token) const { return token == kEosId; }

  /// Tokens of a text, never a marker, even where the text spells one. Bytes that are not UTF-8 are an Error, or become
  /// U+FFFD with `OnInvalid::replace`.
  enum class OnInvalid : uint8_t { refuse, replace };
  std::vector<int32_t> encode(std::string_view text, OnInvalid on_invalid = OnInvalid::refuse) const;

  /// The bytes of tokens: decode(encode(text)) == text. Control tokens have none. A part of a sequence may end within a
  /// character. Throws Error on a token outside the vocabulary.
  std::string decode(std::span<const int32_t> tokens) const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The text of a marker: `<|user|>`.
std::string_view text_of(Marker marker);

}  // namespace tinyllm
