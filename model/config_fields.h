#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/tensor/base/fields.h>

#include <string>
#include <utility>
#include <vector>

// The fields of ModelConfig with their names in config.json. Reading, writing, ranges, options of programs and the
// settings of a run follow from these lists. `hidden_act`, `quantization_config` and the rules that relate fields are
// in config.cc.
namespace tinyllm {

inline constexpr Range kSize = between(1, 1 << 24);  // So that a product of two sizes cannot overflow.

/// Every file must have these.
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

/// A file may lack these; the default applies.
inline constexpr std::tuple kOptionalConfigFields{
    field("num_key_value_heads", &ModelConfig::n_kv_heads, "Share keys and values between this many groups of heads.",
          between(0, kSize.high)),
    field("head_dim", &ModelConfig::head_dim, "Give each attention head this size; 0 divides the width evenly.",
          between(0, kSize.high)),
    field("attention_bias", &ModelConfig::qkv_bias, "Add biases to queries, keys and values."),
    field("attention_output_bias", &ModelConfig::o_bias, "Add a bias to the output of attention."),
    field("qk_norm", &ModelConfig::qk_norm, "Normalise every head of queries and keys."),
    field("mlp_bias", &ModelConfig::ffn_bias, "Add biases in the feed-forward network."),
    field("tie_word_embeddings", &ModelConfig::tied_head, "Use the table of embeddings as the head."),
    field("sliding_window", &ModelConfig::window, "Let a token see this many tokens; 0 shows it all before it.",
          between(0, kSize.high)),
    field("max_window_layers", &ModelConfig::first_window_layer, "Show all tokens to this many first layers.",
          between(0, kSize.high)),
    field("embedding_scale", &ModelConfig::embedding_scale, "Multiply embeddings by this.", above(0)),
    field("residual_scale", &ModelConfig::residual_scale, "Multiply what a block adds by this.", above(0)),
    field("logit_scale", &ModelConfig::logit_scale, "Multiply what the head receives by this.", above(0)),
};

/// Fields of the object `rope_scaling`, besides its `rope_type`. Only `factor` is required.
inline constexpr std::tuple kRopeScalingFields{
    field("factor", &RopeScaling::factor, "", between(1, 1e6)),
    field("original_max_position_embeddings", &RopeScaling::original_context, "", kSize),
    field("low_freq_factor", &RopeScaling::low_freq_factor, "", above(0)),
    field("high_freq_factor", &RopeScaling::high_freq_factor, "", above(0)),
    field("beta_fast", &RopeScaling::beta_fast, "", above(0)),
    field("beta_slow", &RopeScaling::beta_slow, "", above(0)),
    field("attention_factor", &RopeScaling::attention_factor, "", at_least(0)),
};

/// Fields of adapters: options of programs, and settings of a run.
inline constexpr std::tuple kLoraFields{
    field("rank", &Lora::rank, "Train adapters of this rank instead of all weights; 0 trains all weights.",
          between(0, 4096)),
    field("alpha", &Lora::alpha, "Scale what adapters add by this, divided by the rank.", above(0)),
    field("rslora", &Lora::rslora, "Divide alpha by the root of the rank instead."),
    field("targets", &Lora::targets, "Put adapters beside these matrices of each block, or parts of them."),
};

}  // namespace tinyllm
