#pragma once

#include <tinyllm/model/text/tokenizer.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The tokenizer of a Hugging Face folder: `tokenizer.json` with byte pair encoding, over bytes (GPT-2, SmolLM2,
/// Llama 3, Qwen) or over characters (Llama 2, Mistral). Gives the tokens of the Rust library `tokenizers`, except that
/// `encode` never finds an added token in a text, and no text is made into a special one.
class HfTokenizer final : public Tokenizer {
 public:
  /// Reads a `tokenizer.json`, or the one in a folder, and beside it the end and padding tokens that
  /// `tokenizer_config.json`, `generation_config.json` and `config.json` name. Throws Error on a damaged file, and on
  /// parts that are not implemented, by name.
  static std::unique_ptr<HfTokenizer> load(const std::filesystem::path& path);
  /// The same from the text of a tokenizer.json. `what` names it in errors.
  static std::unique_ptr<HfTokenizer> parse(std::string json, std::string_view what);

  int64_t size() const override;
  uint64_t hash() const override;
  std::string decode(std::span<const int32_t> tokens) const override;
  std::string_view piece(int32_t token) const override;
  std::optional<int32_t> special(std::string_view text) const override;
  std::span<const int32_t> end_tokens() const override;
  int32_t pad() const override;
  void save(const std::filesystem::path& folder) const override;
  ~HfTokenizer() override;

  /// A part of a text: bytes `begin` up to `end`.
  struct Range {
    size_t begin = 0;
    size_t end = 0;
  };
  /// Tokens of a text in which added tokens count, such as a rendered chat template; but not in the `typed` ranges,
  /// which are in order and do not overlap: what a user typed there stays text. The text must be UTF-8.
  std::vector<int32_t> encode_with_added(std::string_view text, std::span<const Range> typed = {}) const;
  /// What the file puts before and after a text that is encoded alone: mostly a token for its beginning, or nothing.
  std::span<const int32_t> before_text() const;
  std::span<const int32_t> after_text() const;
  /// The text of a whole answer as `tokenizers` decodes it: without the blank that some vocabularies put before a text.
  std::string decode_text(std::span<const int32_t> tokens, bool with_special) const;

 private:
  struct State;
  explicit HfTokenizer(std::unique_ptr<State> state);
  std::vector<int32_t> encode_utf8(std::string_view text) const override;

  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
