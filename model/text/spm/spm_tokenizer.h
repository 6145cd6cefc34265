#pragma once

#include <tinyllm/model/text/tokenizer.h>

namespace tinyllm {

/// A `tokenizer.model` that SentencePiece made for another model: byte pair encoding, unigram, words or characters,
/// with any normalisation. The tokens are those of SentencePiece, with one exception: `encode` never produces a marker,
/// which is a user-defined piece that looks like "<|im_end|>" or "[INST]". Copies share one vocabulary.
class SpmTokenizer final : public Tokenizer {
 public:
  /// Reads the file, and the end and padding tokens that Hugging Face's files in the same folder name. The files may
  /// come from a stranger. Throws Error on a damaged file, and on a denormaliser, which is not supported.
  static SpmTokenizer load(const std::filesystem::path& file);
  /// The same from the bytes of one file. `what` names it in errors.
  static SpmTokenizer parse(std::string bytes, std::string_view what);

  int64_t size() const override;
  uint64_t hash() const override;
  std::string decode(std::span<const int32_t> tokens) const override;
  std::string_view piece(int32_t token) const override;
  std::optional<int32_t> special(std::string_view text) const override;
  std::span<const int32_t> end_tokens() const override;
  int32_t pad() const override;
  /// The token that begins a text, unless `tokenizer_config.json` turns it off. Empty without a
  /// `tokenizer_config.json`.
  std::span<const int32_t> before_text() const override;
  std::map<std::string, std::string> files() const override;
  /// A copy for which this token ends an answer too. It is the first of the end tokens, and the copy's files name it.
  SpmTokenizer with_end(int32_t token) const;

  /// The tokens of a text in which markers become tokens, as SentencePiece encodes it.
  std::vector<int32_t> encode_with_added(std::string_view text) const;
  /// The text of a whole answer as SentencePiece decodes it: without the blank that encoding adds before a text.
  std::string decode_text(std::span<const int32_t> tokens) const;

 private:
  struct State;
  explicit SpmTokenizer(std::shared_ptr<const State> state);
  std::vector<int32_t> encode_utf8(std::string_view text) const override;

  std::shared_ptr<const State> state_;
};

}  // namespace tinyllm
