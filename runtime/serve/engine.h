#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/runtime/batcher.h>
#include <tinyllm/runtime/constraint/json_constraint.h>
#include <tinyllm/runtime/reason/calculator_constraint.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace tinyllm {

struct EngineOptions {
  int64_t max_running = 32;     ///< Answers at a time.
  int64_t context = 0;          ///< Tokens of prompt and answer together; 0: the model's.
  int64_t cache_sequences = 0;  ///< See cache_contexts.
  DType cache_type = fastest_cache_type();
  double pass_seconds = 0.05;  ///< See BatcherOptions.
  bool keeps_prefixes = true;
  std::string rules = {};  ///< Whatever else changes answers, for the fingerprint.
  LoadOptions load = {};
};

/// The number of full contexts that the cache gets room for: `asked`, or if that is 0, `max_running`, but no more than
/// fit into half of the available memory, and at least 1. `available` is in bytes; empty: it is not known. Throws Error
/// when the contexts do not fit into the available memory.
int64_t cache_contexts(int64_t asked, int64_t max_running, int64_t bytes_of_context, std::optional<int64_t> available);

/// A model that is served: its weights, its cache and its batcher. Everything but the const members belongs to the
/// scheduler's thread.
struct Engine {
  /// Loads the model and compiles every program that its passes need. Throws Error that names the file.
  Engine(std::string name, const std::filesystem::path& path, const EngineOptions& options, const ThreadPool& pool);

  /// Starts again with an empty cache, after a pass has failed.
  void reopen();

  /// Made when it is first asked for, by any thread.
  const CalculatorConstraints& calculator() const;

  const std::string name;
  const EngineOptions options;
  const Model model;
  const int64_t created;  ///< When the weights were written, in seconds since 1970.
  /// Changes whenever the same request might have another answer: another model, other software, another kind of CPU.
  const std::string fingerprint;
  const int64_t context;
  const int64_t cache_sequences;
  const JsonConstraints constraints;  ///< For any thread.
  int64_t cache_bytes = 0;

  ThreadPool pool;
  std::unique_ptr<Session> session;
  std::unique_ptr<Batcher> batcher;

 private:
  mutable std::once_flag calculator_made_;
  mutable std::unique_ptr<const CalculatorConstraints> calculator_;
};

}  // namespace tinyllm
