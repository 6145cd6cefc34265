// Answers over HTTP, in the forms of OpenAI's API.
#include <tinyllm/runtime/serve/keys.h>
#include <tinyllm/runtime/serve/server.h>
#include <tinyllm/runtime/session.h>

#include "common/model_options.h"
#include "common/progress_bar.h"

#include <sys/resource.h>

#include <csignal>
#include <ctime>
#include <future>
#include <memory>

namespace tl = tinyllm;

namespace {

struct Options : tl::ServerOptions {
  std::vector<std::string> models, aliases;
  bool new_key = false;
  tl::KeyLimits key_limits;
};

constexpr double kMost = 1 << 24;

// NAME=VALUE; without a name, the name is empty.
std::pair<std::string, std::string> split(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void add_file(CLI::App& app, const std::string& name, std::filesystem::path& path, const std::string& description) {
  app.add_option_function<std::string>(
         name, [&path](const std::string& text) { path = text; }, description)
      ->type_name("FILE");
}

void add_many(CLI::App& app, const std::string& name, std::vector<std::string>& into, const std::string& type,
              const std::string& description) {
  app.add_option(name, into, description)->type_name(type)->allow_extra_args(false);
}

void add_options(CLI::App& app, Options& o) {
  add_many(app, "-m,--model", o.models, "[NAME=]MODEL",
           "Serve this model, a folder or a GGUF file; may be given several times. The first one is the default.");
  add_many(app, "--alias", o.aliases, "NAME=MODEL", "Serve a model under another name too, for example gpt-4o-mini.");
  app.add_option("--address", o.address, "Listen on this IP address.")->type_name("ADDRESS")->capture_default_str();
  tl::cli::add_number(app, "--port", o.port, tl::between(0, 65535), "Listen on this port; 0 is a free one.");
  app.add_option("--host", o.host, "Answer requests to this host name too, when no key is needed.")->type_name("NAME");
  add_many(app, "--cors", o.cors, "ORIGIN", "Let pages of this origin use the server, as http://example.org.");
  tl::cli::add_number(app, "--connections", o.connections, tl::between(1, 1 << 20), "Serve N connections at a time.");
  tl::cli::add_number(app, "--running", o.max_running, tl::between(1, 1024), "Compute N answers of a model at a time.");
  tl::cli::add_number(app, "--queue", o.queue, tl::between(0, 1 << 20),
                      "Let N requests wait for a place, for each model; 0 is 4 times as many as run.");
  tl::cli::add_number(app, "--queue-timeout", o.queue_seconds, tl::above(0), "Refuse a request that waited X seconds.");
  tl::cli::add_number(app, "--pass-seconds", o.pass_seconds, tl::above(0),
                      "Read prompts in pieces of about X seconds, for which others wait.");
  tl::cli::add_number(app, "-c,--context", o.context, tl::between(0, kMost),
                      "Limit prompt and answer together to N tokens; 0 is the context of the model.");
  tl::cli::add_number(
      app, "--cache", o.cache_sequences, tl::between(0, 1 << 16),
      "Reserve a cache for N full contexts of each model; 0 is one for each answer that runs, in at most half of "
      "the memory that is available.");
  tl::cli::add_weight_type(app, o.type);
  tl::cli::add_choice(app, "--cache-type", o.cache_type,
                      {{tl::name_of(tl::f32), tl::f32}, {tl::name_of(tl::f16), tl::f16}},
                      "Store keys and values in this type: f16 takes half the memory of f32.");
  tl::cli::add_number(app, "--drain", o.drain_seconds, tl::at_least(0),
                      "When stopped, let answers that have begun go on for X seconds.");
  add_file(app, "--keys", o.keys, "Answer only requests with a key of this file; read again at SIGHUP.");
  add_file(app, "--quota", o.quota, "Count the tokens of each key's day in this file.");
  add_file(app, "--access-log", o.access_log, "Append a line of JSON for each request to this file.");
  add_file(app, "--audit-log", o.audit_log, "Append a line of JSON for each answer and each refusal to this file.");
  app.add_flag("--audit-contents", o.audit_contents, "Write what was asked and answered into the audit log too.");
  add_file(app, "--filter-input", o.filter_input,
           "Refuse prompts that hold a word or match an expression of this file: one on each line, expressions between "
           "slashes.");
  add_file(app, "--filter-output", o.filter_output, "End answers before what this file's rules match.");
  app.add_option("--refusal", o.refusal, "Answer this where a rule matches.")->type_name("TEXT")->capture_default_str();
  app.add_flag("--metrics-open", o.open_metrics, "Give /metrics to those without a key.");
  app.add_flag("--share-cache", o.shares_cache,
               "Share the cache of prompts between keys: faster, but the time of an answer tells what others asked.");
  app.add_flag(
      "--new-key", o.new_key,
      "Make a key, add its hash to the file of --keys, print it and end. Make keys as the user of the server: a "
      "new file is readable by its owner alone.");
  tl::cli::add_number(app, "--requests-per-minute", o.key_limits.requests_per_minute, tl::between(0, kMost),
                      "Of the new key; 0 is without limit.");
  tl::cli::add_number(app, "--tokens-per-minute", o.key_limits.tokens_per_minute, tl::between(0, 1e12),
                      "Of the new key; 0 is without limit.");
  tl::cli::add_number(app, "--tokens-per-day", o.key_limits.tokens_per_day, tl::between(0, 1e12),
                      "Of the new key; 0 is without limit.");
  tl::cli::add_threads(app, o.threads);
}

Options parse(int argc, char** argv) {
  Options o;
  o.cache_type = tl::SessionOptions{}.cache_type;
  o.threads = tl::hardware_threads();
  o.on_load = tl::cli::show_reading();
  std::string folder;
  CLI::App app(
      "Answers over HTTP, in the forms that OpenAI's clients speak. Ctrl-C stops it after the answers that run.");
  app.add_option("folder", folder, "The model, unless --model gives it.")->type_name("MODEL");
  add_options(app, o);
  tl::cli::add_examples(app,
                        {"serve tinyllm-model", "serve --keys keys.jsonl --new-key --requests-per-minute 60",
                         "serve -m small=tinyllm-model -m large=other-model --keys keys.jsonl --address 0.0.0.0"},
                        "chat tinyllm-model");
  tl::cli::parse(app, argc, argv);
  if (!folder.empty()) o.models.insert(o.models.begin(), folder);
  for (const std::string& model : o.models) {
    const auto [name, path] = split(model);
    o.tl::ServerOptions::models.push_back({name, path});
  }
  for (const std::string& alias : o.aliases) {
    const auto [name, model] = split(alias);
    if (name.empty()) throw tl::cli::UsageError("--alias: {}, expected NAME=MODEL", alias);
    o.tl::ServerOptions::aliases.emplace_back(name, model);
  }
  if (o.new_key && o.keys.empty()) throw tl::cli::UsageError("--new-key: needs --keys");
  if (!o.new_key && o.models.empty()) throw tl::cli::UsageError("--model: missing");
  return o;
}

// Every connection is an open file.
void allow_many_files() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

// The signals that this program waits for, in every thread that is started afterwards.
sigset_t wait_for_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// The next signal within so long, or 0.
int next_signal(const sigset_t& signals, std::chrono::nanoseconds wait) {
  const timespec time = {wait / std::chrono::seconds(1), (wait % std::chrono::seconds(1)).count()};
  return std::max(0, sigtimedwait(&signals, nullptr, &time));
}

bool is_done(const auto& future) { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

constexpr std::chrono::milliseconds kMoment{20};

// On a terminal, what clears the line of the progress or the status.
std::string line_start() { return isatty(STDERR_FILENO) != 0 ? "\r\x1b[K" : ""; }

void reload(tl::Server& server) {
  try {
    server.reload_keys();
    tl::cli::note("serve: the keys were read again\n");
  } catch (const tl::Error& error) {
    tl::cli::note(fmt::format("serve: {}; the old keys stay\n", error.what()));
  }
}

// Loads the models, which may take minutes. SIGINT or SIGTERM ends the program during that time.
std::unique_ptr<tl::Server> load(const Options& o, const sigset_t& signals) {
  bool must_reload = false;
  auto loaded = std::async(std::launch::async, [&] { return std::make_unique<tl::Server>(o); });
  while (!is_done(loaded)) {
    const int signal = next_signal(signals, kMoment);
    must_reload = must_reload || signal == SIGHUP;
    if (signal != SIGINT && signal != SIGTERM) continue;
    tl::cli::note(line_start() + "serve: stopped before the model was loaded\n");
    std::_Exit(0);  // Nothing waits for the loading.
  }
  std::unique_ptr<tl::Server> server = loaded.get();
  if (must_reload) reload(*server);
  return server;
}

// Runs until SIGINT or SIGTERM. A second one, more than a second later, ends the program at once: `timeout` and process
// managers signal a program and then the group that it is in.
int run(tl::Server& server, const sigset_t& signals) {
  for (int signal = 0; signal != SIGINT && signal != SIGTERM;) {
    signal = next_signal(signals, std::chrono::seconds(1));
    if (signal == SIGHUP) reload(server);
    if (isatty(STDERR_FILENO) != 0) tl::cli::note(line_start() + server.status());
  }
  tl::cli::note(line_start() + "serve: stopping after the answers that run\n");
  const std::time_t first = std::time(nullptr);
  const auto drained = std::async(std::launch::async, [&] { server.drain(); });
  while (!is_done(drained)) {
    const int signal = next_signal(signals, kMoment);
    if (signal == 0 || signal == SIGHUP || std::time(nullptr) <= first + 1) continue;
    tl::cli::note("serve: stopped at once; the answers that ran are cut off\n");
    std::_Exit(1);
  }
  return 0;
}

int serve(const Options& o) {
  if (o.new_key) {
    fmt::print("{}\n", tl::new_key(o.keys, o.key_limits));
    return 0;
  }
  allow_many_files();
  const sigset_t signals = wait_for_signals();
  const std::unique_ptr<tl::Server> server = load(o, signals);
  for (const tl::Server::ModelInfo& model : server->models()) {
    for (const std::string& text : model.notes) tl::cli::note(text + "\n");
    fmt::print("{}: context {}, cache {:.1f} MiB\n", model.name, model.context,
               static_cast<double>(model.cache_bytes) / (1 << 20));
  }
  fmt::print("listening on http://{}:{}/\n", o.address, server->port());
  std::fflush(stdout);
  return run(*server, signals);
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return serve(parse(argc, argv)); });
}
