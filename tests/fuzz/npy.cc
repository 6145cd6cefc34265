// A .npy file. What was read can be written, and is then read as the same.
#include <tinyllm/tensor/formats/tensor_files.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const MemoryFile memory(bytes);
  Array array;
  bool is_read = false;
  may_refuse([&] {
    array = load_npy(memory.path());
    is_read = true;
  });
  if (!is_read) return;
  const std::filesystem::path path = memory_folder() / "again.npy";
  save_npy(path, array.view());
  const Array again = load_npy(path);
  require(again.dtype == array.dtype && again.shape == array.shape && again.bytes == array.bytes);
}
