#include <tinyllm/runtime/serve/engine.h>

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/memory_limit.h>

#include <fmt/format.h>
#include <xxhash.h>

#include <sys/stat.h>

#include <algorithm>

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
  const std::string how =
      fmt::format("{} {} {} {}", name_of(kernel_isa()), name_of(options.cache_type), options.context, kSamplerRevision);
  add(how.data(), how.size());
  add(options.rules.data(), options.rules.size());
  return fmt::format("fp_{:016x}", hash);
}

}  // namespace

int64_t cache_contexts(int64_t asked, int64_t max_running, int64_t bytes_of_context, std::optional<int64_t> available) {
  int64_t contexts = asked == 0 ? max_running : asked;
  if (!available) return contexts;
  if (asked == 0)
    contexts = std::clamp<int64_t>(*available / 2 / std::max<int64_t>(1, bytes_of_context), 1, max_running);
  if (checked_mul(contexts, bytes_of_context) > *available) {
    constexpr double kGigabyte = 1e9;
    throw Error("cache: {} contexts of {:.2f} GB, expected at most the {:.2f} GB of memory that are available",
                contexts, static_cast<double>(bytes_of_context) / kGigabyte,
                static_cast<double>(*available) / kGigabyte);
  }
  return contexts;
}

Engine::Engine(std::string given_name, const std::filesystem::path& path, const EngineOptions& given,
               const ThreadPool& threads)
    : name(std::move(given_name)),
      options(given),
      model(load_model(path, given.load)),
      created(written_at(is_there(path / kConfigFile) ? path / kConfigFile : path)),
      fingerprint(fingerprint_of(model, given)),
      context(options.context == 0 ? model.config.context : options.context),
      cache_sequences(cache_contexts(
          options.cache_sequences, options.max_running,
          checked_mul(Session::pages_for(context), Session::page_bytes(model.config, options.cache_type)),
          available_memory())),
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
  session = std::make_unique<Session>(
      model,
      SessionOptions{.sequences = cache_sequences, .context = context, .cache_type = options.cache_type, .pool = pool});
  batcher = std::make_unique<Batcher>(*session, BatcherOptions{.max_running = options.max_running,
                                                               .keeps_prefixes = options.keeps_prefixes,
                                                               .pass_seconds = options.pass_seconds});
  cache_bytes = session->cache_bytes();
  session->prepare(1 << 20, options.max_running);
}

}  // namespace tinyllm
