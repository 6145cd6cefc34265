// adapter_config.json of PEFT.
#include <tinyllm/model/peft_config.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const MemoryFile file(bytes);
  may_refuse([&] {
    const PeftConfig config = load_peft_config(file.path());
    for (const char* module : {"model.layers.0.self_attn.q_proj", "model.layers.11.mlp.down_proj", "lm_head", ""}) {
      require(config.size_of(module).rank >= 0);
      config.saves(module);
    }
  });
}
