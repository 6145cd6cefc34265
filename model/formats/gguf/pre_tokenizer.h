// Converts the rules that cut a text into words. GGUF has a name for them (`tokenizer.ggml.pre`); a `tokenizer.json`
// spells them out. Not installed: needs nlohmann/json.
#pragma once

#include <tinyllm/tensor/base/json.h>

#include <string>
#include <string_view>

namespace tinyllm::gguf {

struct PreTokenizer {
  std::string name;  ///< `tokenizer.ggml.pre`.
  Json normalizer;   ///< As in a `tokenizer.json`.
  Json pre_tokenizer;
  bool ignore_merges;  ///< A word in the vocabulary is one token, even if merges give others.
  bool add_bos;        ///< The default of `tokenizer.ggml.add_bos_token`.
};

/// The rules with this name. Throws Error that lists the known names if it is unknown.
PreTokenizer pre_tokenizer(std::string_view name);
/// The rules that a `tokenizer.json` spells out. Throws Error if GGUF has no name for them.
PreTokenizer pre_tokenizer_of(const Json& tokenizer);

}  // namespace tinyllm::gguf
