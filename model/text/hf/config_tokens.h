#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Tokens that the files beside a tokenizer name.
struct HfConfigTokens {
  std::vector<int32_t> ends;  ///< Without repeats.
  std::optional<int32_t> pad;
};

/// Ends are the `eos_token` of `tokenizer_config.json` and all `eos_token_id` of `generation_config.json`, or of
/// `config.json` where that file has none. The files of one model often name different ones, and an answer may end with
/// any of them. `id_of` gives the token of a text. Files that are missing are left out; damaged ones are an Error.
HfConfigTokens read_hf_config_tokens(const std::filesystem::path& folder,
                                     const std::function<std::optional<int32_t>(std::string_view)>& id_of);

}  // namespace tinyllm
