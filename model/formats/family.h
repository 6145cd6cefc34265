#pragma once

#include <cstdint>
#include <string_view>

namespace tinyllm {

/// A family of models that other programs make: what its `config.json` leaves unsaid. Names of weights are in
/// model/weights.cc, other fields in model/hugging_face_config.cc.
struct Family {
  const char* class_name;     ///< In `config.json`, field `architectures`.
  const char* model_type;     ///< In `config.json`.
  const char* gguf;           ///< In GGUF files, `general.architecture`.
  bool gguf_permutes_rows;    ///< GGUF stores rows of Q and K for a rotation of neighbours.
  bool has_qkv_bias = false;  ///< Whatever the config says.
  bool has_qk_norm = false;
  bool is_tied = false;              ///< If the config does not say.
  int64_t kv_heads = 0;              ///< If the config does not say; 0: as many as heads.
  int64_t window = 0;                ///< If the config does not say.
  bool has_window_by_layer = false;  ///< Only with `use_sliding_window`, from layer `max_window_layers` on.
  bool has_scales = false;           ///< scale_emb, scale_depth and dim_model_base.
};

/// Throw Error that lists the families when none has the name.
const Family& family_of(std::string_view model_type);
/// Of those with one name in GGUF, the first: `llama` is Llama.
const Family& family_of_gguf(std::string_view architecture);

}  // namespace tinyllm
