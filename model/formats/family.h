#pragma once

#include <cstdint>
#include <string_view>

namespace tinyllm {

/// A family of models from elsewhere: its names in files, and what a `config.json` that lacks a field means. Names of
/// weights are in model/weights.cc, other fields in model/hugging_face_config.cc.
struct Family {
  const char* class_name;     ///< In the field `architectures` of `config.json`.
  const char* model_type;     ///< In the field of this name in `config.json`.
  const char* gguf;           ///< In the key `general.architecture` of GGUF files.
  bool gguf_permutes_rows;    ///< GGUF stores Q and K so that RoPE rotates neighbouring rows, see `gguf_row`.
  bool has_qkv_bias = false;  ///< Always, whatever the config says.
  bool has_qk_norm = false;
  bool is_tied = false;              ///< If the config does not say.
  int64_t kv_heads = 0;              ///< If the config does not say; 0: as many as heads.
  int64_t window = 0;                ///< If the config does not say.
  bool has_window_by_layer = false;  ///< With `use_sliding_window`, from layer `max_window_layers` on; else none.
  bool has_scales = false;           ///< The config has scale_emb, scale_depth and dim_model_base.
};

/// The family of this name. Throws Error that lists the families if there is none.
const Family& family_of(std::string_view model_type);
/// If several families have the same name in GGUF, the first: `llama` is Llama.
const Family& family_of_gguf(std::string_view architecture);

}  // namespace tinyllm
