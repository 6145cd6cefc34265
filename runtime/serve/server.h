#pragma once

#include <tinyllm/tensor/base/progress.h>
#include <tinyllm/tensor/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tinyllm {

struct ServedModel {
  std::string name;              ///< As requests name it; empty: the name of the folder.
  std::filesystem::path folder;  ///< Or a GGUF file.
};

struct ServerOptions {
  std::vector<ServedModel> models;                           ///< The first answers requests that name none.
  std::vector<std::pair<std::string, std::string>> aliases;  ///< Other names, and the models that they stand for.

  std::string address = "127.0.0.1";
  int port = 8080;                ///< 0: a free one.
  std::string host;               ///< A name of this server besides those of this machine.
  std::vector<std::string> cors;  ///< Origins whose pages may use it.
  size_t connections = 4096;
  size_t body_bytes = 4 << 20;  ///< Of a request.

  int64_t max_running = 32;     ///< Answers of a model that are computed at a time.
  int64_t queue = 0;            ///< Requests that wait for a place, for each model; 0: 4 times as many.
  double queue_seconds = 60;    ///< After which a request that waits is refused.
  double pass_seconds = 0.05;   ///< About how long others wait while prompts are read.
  int64_t context = 0;          ///< Tokens of prompt and answer together; 0: the model's.
  int64_t cache_sequences = 0;  ///< Full contexts in the cache; 0: `max_running`, in half of the memory.
  DType cache_type;             ///< f32 or f16.
  std::optional<Type> type;     ///< Of the weights, see LoadOptions; empty: as in the files.
  OnProgress on_load;           ///< Counts the weights of each model while it is loaded.
  int threads = 1;              ///< Of the model.
  double drain_seconds = 25;    ///< Answers that have begun may take so long to end when the server stops.

  std::filesystem::path keys;                        ///< Empty: no key is needed, on a loopback address only.
  std::filesystem::path quota;                       ///< Where the tokens of a day are counted; empty: in memory.
  std::filesystem::path access_log;                  ///< Empty: none.
  std::filesystem::path audit_log;                   ///< Empty: none.
  bool audit_contents = false;                       ///< With what was asked and answered.
  std::filesystem::path filter_input;                ///< Rules that prompts are refused by (filter.h); empty: none.
  std::filesystem::path filter_output;               ///< Rules that answers are ended by; empty: none.
  std::string refusal = "I cannot help with that.";  ///< The answer, or its end, where a rule matches.
  bool open_metrics = false;                         ///< /metrics needs no key.
  bool shares_cache = false;                         ///< Keys share the prefixes of their prompts.
};

/// A server that answers with models, in the forms of OpenAI's API. The README beside this file says what it promises.
class Server {
 public:
  /// Listens at once; requests are refused (503) until the models are loaded, when it returns. Throws Error: on an
  /// address that others can reach without keys; where a model, a file or the port cannot be used.
  explicit Server(const ServerOptions& options);
  /// Stops at once.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  /// The models by name, with their contexts, the bytes of their caches and `Model::notes`.
  struct ModelInfo {
    std::string name;
    int64_t context;
    int64_t cache_bytes;
    std::vector<std::string> notes;
  };
  std::vector<ModelInfo> models() const;

  /// Refuses what comes (503) and lets what has begun end, for `drain_seconds` at most. Afterwards the server can only
  /// be destroyed.
  void drain();
  /// Reads the file of keys again. Throws Error and keeps the old keys when it is not right.
  void reload_keys();
  /// A line for people: what runs and how fast.
  std::string status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
