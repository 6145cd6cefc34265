// Shared by reading and writing hyper-parameters. Not installed.
#pragma once

#include <tinyllm/model/formats/family.h>

#include <fmt/format.h>

#include <string>

namespace tinyllm::gguf {

inline constexpr const char* kRopeFactors = "rope_freqs.weight";

/// Whole numbers that both formats have: the field in `config.json`, and the key in GGUF after `<architecture>.`.
struct Size {
  const char* field;
  const char* key;
};
inline constexpr Size kSizes[] = {{"max_position_embeddings", "context_length"},
                                  {"hidden_size", "embedding_length"},
                                  {"num_hidden_layers", "block_count"},
                                  {"intermediate_size", "feed_forward_length"},
                                  {"num_attention_heads", "attention.head_count"}};

inline std::string full_key(const Family& family, const char* key) { return fmt::format("{}.{}", family.gguf, key); }

}  // namespace tinyllm::gguf
