#pragma once

#include <tinyllm/model/text/model_files.h>
#include <tinyllm/model/text/tokenizer.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

inline constexpr const char* kHfTokenizerFile = "tokenizer.json";

/// The tokenizer of a Hugging Face folder: `tokenizer.json` with byte pair encoding over bytes (GPT-2, SmolLM2, Llama
/// 3, Qwen) or over characters (Llama 2, Mistral). The tokens are those of the Rust library `tokenizers`, with two
/// exceptions: `encode` never produces an added token, and merges never produce a special one. Copies share one
/// vocabulary.
class HfTokenizer final : public Tokenizer {
 public:
  /// Reads a `tokenizer.json`, or a file of another name, and the end and padding tokens that `tokenizer_config.json`,
  /// `generation_config.json` and `config.json` name. The files may come from a stranger. Throws Error on a damaged
  /// file, and on a part that is not implemented, which it names.
  static HfTokenizer load(const ModelFiles& files, const std::string& name = kHfTokenizerFile);
  /// The same from the text of a tokenizer.json only. `what` names it in errors.
  static HfTokenizer parse(std::string json, std::string_view what);

  int64_t size() const override;
  uint64_t hash() const override;
  /// Special tokens have no bytes; other added tokens have their text.
  std::string decode(std::span<const int32_t> tokens) const override;
  std::string_view piece(int32_t token) const override;
  /// An added token, whether special or not.
  std::optional<int32_t> special(std::string_view text) const override;
  /// Throws Error if no file names an end token and the vocabulary has none of the usual ones.
  std::span<const int32_t> end_tokens() const override;
  /// The padding token, else the first end token.
  int32_t pad() const override;
  std::span<const int32_t> before_text() const override;
  std::vector<int32_t> encode_rendered(std::string_view text, std::span<const TextRange> special) const override;
  std::map<std::string, std::string> files() const override;
  /// A copy for which this token ends an answer too. It is the first of the end tokens, and the copy's files name it.
  HfTokenizer with_end(int32_t token) const;

  /// The tokens of a text in which added tokens are recognised, such as a rendered chat template. In the `typed` ranges
  /// they are not: what a user typed stays text. The ranges are in order and do not overlap. The text must be UTF-8.
  std::vector<int32_t> encode_with_added(std::string_view text, std::span<const TextRange> typed = {}) const;
  /// The tokens that the file puts after a text that is not a chat: usually none.
  std::span<const int32_t> after_text() const;
  /// The text of a whole answer as `tokenizers` decodes it: without the blank that some vocabularies add before a text.
  std::string decode_text(std::span<const int32_t> tokens, bool with_special) const;

 private:
  struct State;
  explicit HfTokenizer(std::shared_ptr<const State> state);
  std::vector<int32_t> encode_utf8(std::string_view text) const override;

  std::shared_ptr<const State> state_;
};

}  // namespace tinyllm
