#pragma once

#include <tinyllm/model/text/tokenizer.h>

namespace tinyllm {

/// A `tokenizer.model` that SentencePiece made for another model: byte pair encoding, unigram, words or characters,
/// with any normalisation. Gives the tokens of SentencePiece, except that `encode` finds no marker in a text: no
/// user-defined piece that looks like one, as "<|im_end|>" or "[INST]". Copies share one vocabulary.
class SpmTokenizer final : public Tokenizer {
 public:
  /// Reads the file, which may come from a stranger, and beside it the end and padding tokens that a Hugging Face
  /// folder names. Throws Error on a damaged file, and on a denormaliser.
  static SpmTokenizer load(const std::filesystem::path& file);
  /// The same from the bytes of a file alone. `what` names it in errors.
  static SpmTokenizer parse(std::string bytes, std::string_view what);

  int64_t size() const override;
  uint64_t hash() const override;
  std::string decode(std::span<const int32_t> tokens) const override;
  std::string_view piece(int32_t token) const override;
  std::optional<int32_t> special(std::string_view text) const override;
  std::span<const int32_t> end_tokens() const override;
  int32_t pad() const override;
  /// The token for the beginning, unless `tokenizer_config.json` says no; nothing for a file that stands alone.
  std::span<const int32_t> before_text() const override;
  std::map<std::string, std::string> files() const override;

  /// Tokens of a text in which markers count, as SentencePiece encodes it.
  std::vector<int32_t> encode_with_added(std::string_view text) const;
  /// The text of a whole answer as SentencePiece decodes it: without the blank that is put before a text.
  std::string decode_text(std::span<const int32_t> tokens) const;

 private:
  struct State;
  explicit SpmTokenizer(std::shared_ptr<const State> state);
  std::vector<int32_t> encode_utf8(std::string_view text) const override;

  std::shared_ptr<const State> state_;
};

}  // namespace tinyllm
