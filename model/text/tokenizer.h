#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// A part of a text: bytes `begin` up to `end`.
struct TextRange {
  size_t begin = 0;
  size_t end = 0;
};

/// Turns text into tokens and back. Const methods may be called from several threads at once.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual int64_t size() const = 0;
  /// Hash of everything that affects encoding. If two are equal, token ids mean the same.
  virtual uint64_t hash() const = 0;

  /// Tokens of a text, never a special one, even where the text spells one. Bytes that are not UTF-8 are an Error, or
  /// become U+FFFD with `OnInvalid::replace`.
  enum class OnInvalid : uint8_t { refuse, replace };
  std::vector<int32_t> encode(std::string_view text, OnInvalid on_invalid = OnInvalid::refuse) const;

  /// What models of this tokenizer expect before a text that stands alone: mostly a token for its beginning, or
  /// nothing. A chat template writes it itself.
  virtual std::span<const int32_t> before_text() const { return {}; }
  /// The tokens of a text that a model is to continue: `before_text`, then those of `encode`.
  std::vector<int32_t> encode_alone(std::string_view text) const;
  /// The tokens of a rendered conversation, where `special` are the special tokens, in order, and the rest is text.
  /// Some special tokens take the blanks beside them. Throws Error on a range that is no special token.
  virtual std::vector<int32_t> encode_rendered(std::string_view text, std::span<const TextRange> special) const;

  /// The bytes of tokens, one after the other: decode(a + b) == decode(a) + decode(b). Control tokens have none. A part
  /// of a sequence may end within a character. Throws Error on a token outside the vocabulary.
  virtual std::string decode(std::span<const int32_t> tokens) const = 0;

  /// A token as people read it: its bytes, or for a control token its text, as "</s>". Throws Error on a token outside
  /// the vocabulary.
  virtual std::string_view piece(int32_t token) const = 0;

  /// The special token with this text, as "<|user|>" or "</s>": one that only a chat template makes.
  virtual std::optional<int32_t> special(std::string_view text) const = 0;

  /// The tokens that end an answer, at least one. The first also ends a document.
  virtual std::span<const int32_t> end_tokens() const = 0;
  bool is_end(int32_t token) const;
  int32_t end_of_document() const { return end_tokens().front(); }
  /// A token to fill unused places with.
  virtual int32_t pad() const = 0;

  /// Its files by name, with those beside it that belong to one, as they were read.
  virtual std::map<std::string, std::string> files() const = 0;
  /// Writes its files into a folder, from which `load_tokenizer` reads them.
  void save(const std::filesystem::path& folder) const;

 protected:
  Tokenizer() = default;
  Tokenizer(const Tokenizer&) = default;
  Tokenizer(Tokenizer&&) = default;
  Tokenizer& operator=(const Tokenizer&) = default;
  Tokenizer& operator=(Tokenizer&&) = default;

 private:
  /// Tokens of valid UTF-8.
  virtual std::vector<int32_t> encode_utf8(std::string_view text) const = 0;
};

/// Reads a tokenizer from its file, or from a folder that has it: `tokenizer.json` of Hugging Face, or else
/// `tokenizer.model` of SentencePiece. The files may come from a stranger. Throws Error that names the file when it is
/// missing or damaged.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path);

}  // namespace tinyllm
