// How byte pair encoding cuts a text into words: GGUF names it (`tokenizer.ggml.pre`), a `tokenizer.json` spells it
// out. Not installed: needs nlohmann/json.
#pragma once

#include <tinyllm/tensor/base/json.h>

#include <string>
#include <string_view>

namespace tinyllm::gguf {

struct PreTokenizer {
  std::string name;  ///< `tokenizer.ggml.pre`.
  Json normalizer;   ///< As in a `tokenizer.json`, as the next one.
  Json pre_tokenizer;
  bool ignore_merges;  ///< A word of the vocabulary is one token, whatever the merges say.
  bool add_bos;        ///< Where the file does not say it.
};

/// Throws Error that lists the known names when it is not one of them.
PreTokenizer pre_tokenizer(std::string_view name);
/// The one that a `tokenizer.json` spells out. Throws Error when none is the same.
PreTokenizer pre_tokenizer_of(const Json& tokenizer);

}  // namespace tinyllm::gguf
