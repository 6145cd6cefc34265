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

/// Tokens that the files beside a tokenizer name.
struct HfConfigTokens {
  std::vector<int32_t> ends;  ///< Without repeats.
  std::optional<int32_t> pad;
  /// `bos_token`, unless `add_bos_token` is false. Of no meaning beside a `tokenizer.json`, which says it itself.
  std::vector<int32_t> before = {};
};

/// The files beside a tokenizer's own that belong to it, as they are, by name.
std::map<std::string, std::string> side_files(const ModelFiles& files);

/// The text of a `generation_config.json` or `config.json` whose `eos_token_id` names this token too, before others.
std::string with_end_token(const std::string& config, int32_t token);
/// Files whose `tokenizer_config.json` names this token as the one that ends an answer, and `generation_config.json`
/// too. They are made where they are missing.
std::map<std::string, std::string> with_end_token(std::map<std::string, std::string> files, int32_t token,
                                                  const std::string& text);

/// Ends are the `eos_token` of `tokenizer_config.json` and all `eos_token_id` of `generation_config.json`, or of
/// `config.json` where that file has none. The files of one model often name different ones, and an answer may end with
/// any of them. `id_of` gives the token of a text. Files that are missing are left out; damaged ones are an Error.
HfConfigTokens read_hf_config_tokens(const ModelFiles& files,
                                     const std::function<std::optional<int32_t>(std::string_view)>& id_of);

}  // namespace tinyllm
