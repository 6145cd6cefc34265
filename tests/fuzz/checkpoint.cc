// A checkpoint of a run.
#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/train/trainer.h>

#include "fuzz/fuzz.h"
#include "train/sample_run.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  struct Training {
    Model model = fresh_model({.dim = 2, .n_layers = 1, .n_heads = 1, .ffn_dim = 1, .context = 2});
    ThreadPool pool{1};
    Trainer trainer{model, {.batch_size = 1, .seq_len = 2, .steps = 1}, pool};
  };
  static Training training;
  const MemoryFile memory(bytes);
  may_refuse([&] { training.trainer.restore(Safetensors(memory.path())); });
}
