#include <tinyllm/runtime/serve/engine.h>

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/base/file.h>

#include <fmt/format.h>
#include <xxhash.h>

#include <sys/stat.h>

namespace tinyllm {
namespace {

int64_t written_at(const std::filesystem::path& path) {
  struct stat status {};
  stat(path.c_str(), &status);
  return status.st_mtime;
}

// Of the weights, the tokenizer, the template, and what computes with them.
std::string fingerprint_of(const Model& model, const EngineOptions& options) {
  XXH64_hash_t hash = XXH64(TINYLLM_VERSION, sizeof TINYLLM_VERSION, model.tokenizer->hash());
  const auto add = [&](const void* bytes, size_t size) { hash = XXH64(bytes, size, hash); };
  for (const Store::Entry& entry : model.weights->entries()) {
    add(entry.name.data(), entry.name.size());
    const uint64_t bytes = XXH3_64bits(entry.data, entry.bytes());
    add(&bytes, sizeof bytes);
  }
  const Messages conversation = {{Role::system, "s"}, {Role::user, "u"}};
  for (const Piece& piece : model.chat_template->render(conversation, {.add_generation_prompt = true})) {
    add(piece.text.data(), piece.text.size());
  }
  const std::string how = fmt::format("{} {} {}", name_of(kernel_isa()), name_of(options.cache_type), options.context);
  add(how.data(), how.size());
  add(options.rules.data(), options.rules.size());
  return fmt::format("fp_{:016x}", hash);
}

}  // namespace

Engine::Engine(std::string given_name, const std::filesystem::path& path, const EngineOptions& given,
               const ThreadPool& threads)
    : name(std::move(given_name)),
      options(given),
      model(load_model(path, given.load)),
      created(written_at(is_there(path / kConfigFile) ? path / kConfigFile : path)),
      fingerprint(fingerprint_of(model, given)),
      context(options.context == 0 ? model.config.context : options.context),
      constraints(*model.tokenizer, model.config.vocab_size),
      pool(threads) {
  reopen();
}

const CalculatorConstraints& Engine::calculator() const {
  std::call_once(calculator_made_, [this] {
    calculator_ = std::make_unique<const CalculatorConstraints>(*model.tokenizer, model.config.vocab_size);
  });
  return *calculator_;
}

void Engine::reopen() {
  batcher.reset();
  session.reset();
  const int64_t sequences = options.cache_sequences != 0 ? options.cache_sequences : options.max_running;
  session = std::make_unique<Session>(
      model,
      SessionOptions{.sequences = sequences, .context = context, .cache_type = options.cache_type, .pool = pool});
  batcher = std::make_unique<Batcher>(*session, BatcherOptions{.max_running = options.max_running,
                                                               .keeps_prefixes = options.keeps_prefixes,
                                                               .pass_seconds = options.pass_seconds});
  cache_bytes = session->cache_bytes();
  session->prepare(1 << 20, options.max_running);
}

}  // namespace tinyllm
