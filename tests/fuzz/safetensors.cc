// A file of tensors.
#include <tinyllm/model/formats/safetensors.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const MemoryFile memory(bytes);
  may_refuse([&] {
    const Safetensors file(memory.path());
    size_t sum = 0;
    for (const Safetensors::Entry& entry : file.entries()) {
      for (const std::byte byte : entry.bytes) sum += static_cast<size_t>(byte);
      require(&file.at(entry.name) != nullptr);
    }
    require(sum <= 255 * bytes.size());
  });
}
