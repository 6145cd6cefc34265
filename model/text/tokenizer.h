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

/// Bytes [begin, end) of a text.
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

  /// The tokens of a text. None is special, even if the text spells a special token. Throws Error on bytes that are not
  /// UTF-8; with `OnInvalid::replace` they become U+FFFD.
  enum class OnInvalid : uint8_t { refuse, replace };
  std::vector<int32_t> encode(std::string_view text, OnInvalid on_invalid = OnInvalid::refuse) const;

  /// The tokens to put before a text that is not a chat: often one that begins a text, or none. A chat template writes
  /// them itself.
  virtual std::span<const int32_t> before_text() const { return {}; }
  /// The tokens of a text that a model is to continue: `before_text`, then those of `encode`.
  std::vector<int32_t> encode_alone(std::string_view text) const;
  /// The tokens of a rendered conversation. The ranges `special`, in order, are special tokens; the rest is text. Some
  /// special tokens absorb the blanks next to them. Throws Error if a range is not a special token.
  virtual std::vector<int32_t> encode_rendered(std::string_view text, std::span<const TextRange> special) const;

  /// The bytes of the tokens, joined: decode(a + b) == decode(a) + decode(b). Control tokens have no bytes. The result
  /// may begin or end within a character. Throws Error on a token outside the vocabulary.
  virtual std::string decode(std::span<const int32_t> tokens) const = 0;

  /// A token as people read it: its bytes, or the name of a control token such as "</s>". Throws Error on a token
  /// outside the vocabulary.
  virtual std::string_view piece(int32_t token) const = 0;

  /// The special token with this text, for example "<|user|>" or "</s>". Only a chat template produces it.
  virtual std::optional<int32_t> special(std::string_view text) const = 0;

  /// The tokens that end an answer, at least one. The first also ends a document.
  virtual std::span<const int32_t> end_tokens() const = 0;
  bool is_end(int32_t token) const;
  int32_t end_of_document() const { return end_tokens().front(); }
  /// The token that fills unused positions of a batch.
  virtual int32_t pad() const = 0;

  /// The tokenizer's files by name, as they were read, with those of the same folder that belong to it.
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

/// Reads a tokenizer from its file or from a folder. A folder's `tokenizer.json` (Hugging Face) comes before its
/// `tokenizer.model` (SentencePiece). The files may come from a stranger. Throws Error that names the file when it is
/// missing or damaged.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path);

}  // namespace tinyllm
