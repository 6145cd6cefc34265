#include <tinyllm/model/formats/family.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm {
namespace {

// Sources: the configuration classes of huggingface/transformers 4, and for MiniCPM the code beside its weights.
constexpr Family kFamilies[] = {
    {.class_name = "LlamaForCausalLM", .model_type = "llama", .gguf = "llama", .gguf_permutes_rows = true},
    {.class_name = "MistralForCausalLM",
     .model_type = "mistral",
     .gguf = "llama",
     .gguf_permutes_rows = true,
     .kv_heads = 8,
     .window = 4096},
    {.class_name = "Qwen2ForCausalLM",
     .model_type = "qwen2",
     .gguf = "qwen2",
     .gguf_permutes_rows = false,
     .has_qkv_bias = true,
     .has_window_by_layer = true},
    {.class_name = "Qwen3ForCausalLM",
     .model_type = "qwen3",
     .gguf = "qwen3",
     .gguf_permutes_rows = false,
     .has_qk_norm = true,
     .has_window_by_layer = true},
    {.class_name = "MiniCPMForCausalLM",
     .model_type = "minicpm",
     .gguf = "minicpm",
     .gguf_permutes_rows = true,
     .is_tied = true,
     .has_scales = true},
};

}  // namespace

std::span<const Family> families() { return kFamilies; }

const Family& family_of(std::string_view model_type) {
  const auto found = std::ranges::find(kFamilies, model_type, &Family::model_type);
  if (found != std::end(kFamilies)) return *found;
  std::vector<std::string_view> known;
  for (const Family& family : kFamilies) known.emplace_back(family.model_type);
  throw Error("model_type \"{}\": models of this kind are not supported, only {}", model_type, fmt::join(known, ", "));
}

}  // namespace tinyllm
