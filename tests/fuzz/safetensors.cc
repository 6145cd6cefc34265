// A file of tensors.
#include <tinyllm/tensor/formats/safetensors.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const MemoryFile memory(bytes);
  may_refuse([&] {
    const Safetensors file(memory.path());
    for (const Safetensors::Entry& entry : file.entries()) {
      std::vector<std::byte> values(entry.size);
      file.read(entry, values);
      require(&file.at(entry.name) == &entry);
    }
  });
}
