// A GGUF file: its metadata, its tensors, its hyper-parameters and its tokenizer, there and back.
#include <tinyllm/model/formats/gguf/config.h>
#include <tinyllm/model/formats/gguf/tokenizer_json.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const MemoryFile memory(bytes);
  may_refuse([&] {
    const Gguf file(memory.path());
    for (const Gguf::Tensor& tensor : file.tensors()) {
      require(file.find(tensor.name) == &tensor);
      require(file.values(tensor).size() == static_cast<size_t>(tensor.shape.size()));
    }
    for (const std::string_view key : file.metadata().keys()) {
      require(file.metadata().has(key));
      may_refuse([&] { file.metadata().get<std::vector<int64_t>>(key); });
      may_refuse([&] { file.metadata().get<std::vector<std::string_view>>(key); });
    }
    may_refuse([&] { gguf_config(file); });
    may_refuse([&] {
      const GgufTokenizer tokenizer = read_gguf_tokenizer(file);
      const Json config = {{"vocab_size", tokenizer.tokens.size()}};
      const Json json = tokenizer_json(tokenizer, "llama");  // May be a whole tokenizer.json of a stranger's.
      gguf_tokenizer(json, tokenizer_config_json(tokenizer), config);
    });
  });
}
