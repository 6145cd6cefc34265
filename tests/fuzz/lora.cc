// A folder of adapters: settings, a NUL, and a file of tensors. The first byte chooses the names of the files: `0` for
// those of PEFT, anything else for those of older versions of this program.
#include <tinyllm/tensor/base/file.h>

#include "fuzz/adapters.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  if (bytes.empty()) return;
  const bool is_peft = bytes[0] == '0';
  bytes.remove_prefix(1);
  const size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::filesystem::path folder = memory_folder() / "read";
  std::filesystem::remove_all(folder);
  make_folder(folder);
  write_file(folder / (is_peft ? kAdapterConfigFile : "adapter.json"), bytes.substr(0, end));
  write_file(folder / (is_peft ? kAdapterWeightsFile : "adapter.safetensors"),
             bytes.substr(std::min(end + 1, bytes.size())));
  check_adapters([&](Model& model) { load_lora(model, folder, ThreadPool(1)); });
}
