#pragma once

#include <tinyllm/model/text/tokenizer.h>

namespace tinyllm {

/// The file of such a tokenizer in its folder, in the format of SentencePiece.
inline constexpr const char* kTokenizerFile = "tokenizer.model";

/// Byte pair encoding that gives every text back byte for byte: text is not normalised, rare characters are encoded as
/// bytes, digits are single tokens, line feeds and runs of blanks are kept. Its special tokens are <pad>, <s>, </s>,
/// <unk> and the markers of our chat template. Copies share one vocabulary.
class SentencePieceTokenizer final : public Tokenizer {
 public:
  struct TrainOptions {
    int64_t vocab_size = 16000;
  };
  /// Learns a vocabulary from UTF-8 texts with the trainer of SentencePiece, line by line. It is smaller than asked for
  /// when the texts have fewer different pieces. The commonest characters get at most half of the tokens; all others,
  /// and always U+2581, U+2585, tab and NUL, are encoded as bytes. No line is left out. Throws Error when there is no
  /// text, or when the size is below 300.
  static SentencePieceTokenizer train(std::span<const std::string> texts, const TrainOptions& options);

  /// Reads a `tokenizer.model`, which may come from a stranger. Throws Error on a file that is not a SentencePiece
  /// model, lacks bytes or markers, or would encode in another way than the models of `train`.
  static SentencePieceTokenizer load(const std::filesystem::path& file);
  void save_file(const std::filesystem::path& file) const;

  int64_t size() const override;
  uint64_t hash() const override;
  std::string decode(std::span<const int32_t> tokens) const override;
  std::string_view piece(int32_t token) const override;
  std::optional<int32_t> special(std::string_view text) const override;
  std::span<const int32_t> end_tokens() const override;
  int32_t pad() const override;
  std::map<std::string, std::string> files() const override;

 private:
  struct State;
  explicit SentencePieceTokenizer(std::shared_ptr<const State> state);
  std::vector<int32_t> encode_utf8(std::string_view text) const override;

  std::shared_ptr<const State> state_;
};

}  // namespace tinyllm
