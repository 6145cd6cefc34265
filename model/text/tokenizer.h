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

/// The file of a tokenizer in its folder, in the shape of SentencePiece.
inline constexpr const char* kTokenizerFile = "tokenizer.model";

/// A SentencePiece BPE that gives every text back byte for byte: no normalisation, bytes as a fallback, digits one by
/// one, line feeds and runs of blanks kept. Threads may share a tokenizer.
class Tokenizer {
 public:
  struct TrainOptions {
    int64_t vocab_size = 16000;
  };
  /// Learns a vocabulary from UTF-8 texts (they are seen line by line). It may come out smaller than asked for when the
  /// texts have not that many different pieces. Characters beyond the commonest that fill half of it are given as
  /// bytes. Throws Error when there is no text, or when the size is below 300.
  static Tokenizer train(std::span<const std::string> texts, const TrainOptions& options);

  /// Reads a `tokenizer.model`, or the one in a folder. Throws Error on a file that is no SentencePiece model, lacks
  /// bytes or markers, or encodes in another way than the models of `train`.
  static Tokenizer load(const std::filesystem::path& path);
  void save(const std::filesystem::path& path) const;

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  int64_t size() const;
  /// Of all that encoding depends on: tokens are of the same meaning where it is the same.
  uint64_t hash() const;
  int32_t id(Marker marker) const;

  /// Tokens of a text. Never a marker, even where the text spells one. Bytes that are not UTF-8 are an Error, or become
  /// U+FFFD when asked for.
  enum class OnInvalid : uint8_t { refuse, replace };
  std::vector<int32_t> encode(std::string_view text, OnInvalid on_invalid = OnInvalid::refuse) const;

  /// The bytes of tokens; decode(encode(text)) == text. Control tokens have none. A part of a sequence may end in the
  /// middle of a character. Throws Error on a token outside the vocabulary.
  std::string decode(std::span<const int32_t> tokens) const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The text of a marker: `<|user|>`.
std::string_view text_of(Marker marker);

}  // namespace tinyllm
