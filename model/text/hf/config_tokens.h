#pragma once

#include <tinyllm/model/text/model_files.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The tokens that a tokenizer's other files name.
struct HfConfigTokens {
  std::vector<int32_t> ends;  ///< Without repeats.
  std::optional<int32_t> pad;
  /// `bos_token`, unless `add_bos_token` is false. Not used with a `tokenizer.json`, which has this information itself.
  std::vector<int32_t> before = {};
};

/// The tokenizer's files besides its vocabulary, unchanged, by name.
std::map<std::string, std::string> side_files(const ModelFiles& files);

/// The text of a `generation_config.json` or `config.json` with this token added as the first of `eos_token_id`.
std::string with_end_token(const std::string& config, int32_t token);
/// The files, changed so that `tokenizer_config.json` and `generation_config.json` name this token as the end of an
/// answer. Missing files are created.
std::map<std::string, std::string> with_end_token(std::map<std::string, std::string> files, int32_t token,
                                                  const std::string& text);

/// Collects the end tokens: `eos_token` of `tokenizer_config.json`, and all `eos_token_id` of `generation_config.json`
/// or, if it has none, of `config.json`. The files of one model often name different tokens, and an answer may end with
/// any of them. `id_of` gives the token id of a text. Missing files are skipped. Throws Error on a damaged file.
HfConfigTokens read_hf_config_tokens(const ModelFiles& files,
                                     const std::function<std::optional<int32_t>(std::string_view)>& id_of);

}  // namespace tinyllm
