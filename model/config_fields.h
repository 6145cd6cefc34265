#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/tensor/base/fields.h>

#include <string>
#include <utility>
#include <vector>

// The fields of ModelConfig under their names in config.json: reading, writing, ranges, options and the settings of a
// run follow from these lists. What `hidden_act` and `quantization_config` stand for is in config.cc, with the rules
// that relate fields.
namespace tinyllm {

inline constexpr Range kSize = between(1, 1 << 24);  // Products of two sizes are far from overflow.

/// Every file has these.
inline constexpr std::tuple kConfigFields{
    field("vocab_size", &ModelConfig::vocab_size, "Learn a vocabulary of up to this many tokens.", kSize),
    field("hidden_size", &ModelConfig::dim, "Make hidden states this wide.", kSize),
    field("num_hidden_layers", &ModelConfig::n_layers, "Stack this many blocks.", kSize),
    field("num_attention_heads", &ModelConfig::n_heads, "Give each block this many attention heads.", kSize),
    field("intermediate_size", &ModelConfig::ffn_dim, "Make the feed-forward network this wide.", kSize),
    field("max_position_embeddings", &ModelConfig::context, "Let the model see this many tokens at once.", kSize),
    field("rms_norm_eps", &ModelConfig::norm_eps, "Add this to the mean square in norms.", above(0)),
    field("rope_theta", &ModelConfig::rope_base, "Rotate positions with this base.", above(1)),
    field("dropout", &ModelConfig::dropout,
          "Drop this fraction of attention weights and of the feed-forward network's values while training.",
          below_one()),
};

/// Files without these mean the default.
inline constexpr std::tuple kOptionalConfigFields{
    field("num_key_value_heads", &ModelConfig::n_kv_heads, "Share keys and values between this many groups of heads.",
          between(0, kSize.high)),
    field("mlp_bias", &ModelConfig::ffn_bias, "Add biases in the feed-forward network."),
};

/// "silu" or "swiglu": the field `hidden_act`.
const char* activation_name(const ModelConfig& config);

}  // namespace tinyllm
