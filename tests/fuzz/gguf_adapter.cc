// A GGUF file of adapters.
#include <tinyllm/model/gguf_adapter.h>

#include "fuzz/adapters.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const MemoryFile memory(bytes);
  check_adapters([&](Model& model) { load_gguf_adapter(model, memory.path()); });
}
