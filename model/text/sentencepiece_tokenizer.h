#pragma once

#include <tinyllm/model/text/tokenizer.h>

namespace tinyllm {

/// The tokenizer's file in a model folder, in SentencePiece's format.
inline constexpr const char* kTokenizerFile = "tokenizer.model";

/// The tokenizer of models that are trained here: byte pair encoding in which every text decodes to exactly the same
/// bytes. Text is not normalised, rare characters are encoded as bytes, every digit is one token, and line feeds and
/// runs of blanks are kept. The special tokens are `<pad>`, `<s>`, `</s>`, `<unk>` and the markers of our chat
/// template. Copies share one vocabulary.
class SentencePieceTokenizer final : public Tokenizer {
 public:
  struct TrainOptions {
    int64_t vocab_size = 16000;
  };
  /// Learns a vocabulary from UTF-8 texts with SentencePiece's trainer, line by line. The vocabulary is smaller than
  /// `vocab_size` if the texts have fewer different pieces. The most common characters get at most half of the tokens.
  /// All others are encoded as bytes, and so are U+2581, U+2585, tab and NUL. Throws Error when there is no text, or
  /// when the size is below 300.
  static SentencePieceTokenizer train(std::span<const std::string> texts, const TrainOptions& options);

  /// Reads a `tokenizer.model`, which may come from a stranger. Throws Error unless it is a SentencePiece model with
  /// bytes and markers that encodes as the models of `train` do.
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
