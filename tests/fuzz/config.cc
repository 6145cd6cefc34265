// config.json of a model folder.
#include <tinyllm/model/config.h>
#include <tinyllm/model/transformer.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const MemoryFile file(bytes);
  may_refuse([&] {
    const ModelConfig config = load_config(file.path());
    const auto path = memory_folder() / "config.json";
    save_config(config, path);
    require(load_config(path) == config);
  });
}
