#pragma once

#include <string_view>

namespace tinyllm {

/// A family of models in GGUF files.
struct GgufArchitecture {
  const char* name;        ///< `general.architecture`, and the beginning of its keys.
  const char* model_type;  ///< In `config.json` of Hugging Face.
  const char* class_name;  ///< In `config.json`, field `architectures`.
  bool permutes_rows;      ///< Rows of Q and K are stored for RoPE of neighbours: see `gguf_row`.
};

/// By `general.architecture`; `llama` is the row of Llama. Throws Error that names it and lists those that are known.
const GgufArchitecture& gguf_architecture(std::string_view name);
/// By `model_type`: llama, mistral, qwen2, qwen3, minicpm.
const GgufArchitecture& gguf_architecture_of_model_type(std::string_view model_type);

}  // namespace tinyllm
