#include <tinyllm/runtime/serve/server.h>

#include <tinyllm/runtime/serve/json_text.h>
#include <tinyllm/runtime/serve/served_job.h>
#include <tinyllm/runtime/serve/server_state.h>
#include <tinyllm/runtime/text_stream.h>
#include <tinyllm/tensor/base/file.h>

namespace tinyllm {
namespace {

constexpr int kFrontThreads = 2;
constexpr size_t kMostFrontTasks = 1024;
// Of all requests that are read or answered.
constexpr size_t kAllBodyBytes = 256 << 20;
// Of a stream that its client does not read.
constexpr size_t kUnsentBytes = 256 << 10;
// After the last answer has ended, for its last bytes to be taken.
constexpr std::chrono::seconds kLastBytes{2};

std::shared_ptr<const Keys> load_keys(const ServerOptions& options) {
  if (options.keys.empty()) return nullptr;
  return std::make_shared<Keys>(options.keys);
}

std::shared_ptr<const Filter> load_filter(const std::filesystem::path& path) {
  return path.empty() ? nullptr : Filter::load(path);
}

// What filters say, and what is answered where they match.
std::string rules_of(const ServerOptions& options) {
  std::string rules;
  for (const auto& path : {options.filter_input, options.filter_output}) {
    rules += fmt::format("{}\n", path.empty() ? std::string() : read_file(path));
  }
  return options.filter_input.empty() && options.filter_output.empty() ? "" : rules + options.refusal;
}

bool is_loopback(const std::string& address) { return address == "::1" || address.starts_with("127."); }

}  // namespace

Server::State::State(const ServerOptions& o)
    : options(o),
      records(o.access_log, o.audit_log, o.audit_contents, metrics),
      limits(o.quota),
      input_filter(load_filter(o.filter_input)),
      output_filter(load_filter(o.filter_output)),
      gate({o.host, o.address, o.cors}, load_keys(o)) {
  if (options.models.empty()) throw Error("server: no model is given");
  if (!gate.has_keys() && !is_loopback(options.address)) {
    throw Error("address {}: others can reach it, which needs a file of keys", options.address);
  }
  front = std::make_unique<FrontPool>(kFrontThreads, kMostFrontTasks);
  HttpOptions http_options{.address = options.address, .port = options.port, .checks_host = false};
  http_options.limits.connections = options.connections;
  http_options.limits.body_bytes = options.body_bytes;
  http_options.limits.all_body_bytes = kAllBodyBytes;
  http_options.limits.unsent_bytes = kUnsentBytes;
  http_options.check = [this](const HttpRequest& request) { return check(request); };
  http_options.refusal = [](int status, std::string_view message) {
    return refusal_of(ApiError(status, code_of_status(status), "", "{}", message));
  };
  http = std::make_unique<HttpServer>(
      http_options, [this](HttpRequest&& request, HttpReply&& reply) { handle(std::move(request), std::move(reply)); });
  load_models();
}

Server::State::~State() {
  http->stop();
  front.reset();
  scheduler.reset();
}

void Server::State::load_models() {
  const ThreadPool pool(options.threads);
  const std::string rules = rules_of(options);
  std::vector<std::unique_ptr<Engine>> engines;
  for (const ServedModel& model : options.models) {
    const std::filesystem::path folder = model.folder.has_filename() ? model.folder : model.folder.parent_path();
    const std::string name = model.name.empty() ? folder.filename().string() : model.name;
    const EngineOptions engine{.max_running = options.max_running,
                               .context = options.context,
                               .cache_sequences = options.cache_sequences,
                               .cache_type = options.cache_type,
                               .pass_seconds = options.pass_seconds,
                               .rules = rules,
                               .load = {.type = options.type, .on_progress = options.on_load, .pool = pool}};
    for (const auto& other : engines) {
      if (other->name == name) throw Error("model {}: is given twice", name);
    }
    engines.push_back(std::make_unique<Engine>(name, folder, engine, pool));
    model_metrics.push_back(std::make_unique<ModelMetrics>());
  }
  scheduler = std::make_unique<Scheduler>(
      std::move(engines), SchedulerOptions{options.queue, options.queue_seconds}, *this,
      [this](std::vector<JobEvent> events) { http->post([events = std::move(events)] { deliver(events); }); });
  for (const auto& [alias, name] : options.aliases) {
    try {
      model_of(name);
    } catch (const ApiError&) {
      throw Error("alias {}: stands for {}, which is not a model that is served", alias, name);
    }
  }
  is_ready = true;
}

size_t Server::State::model_of(const std::string& name) const {
  if (name.empty()) return 0;
  std::string wanted = name;
  for (const auto& [alias, stands_for] : options.aliases) {
    if (alias == name) wanted = stands_for;
  }
  for (size_t i = 0; i < scheduler->models(); ++i) {
    if (scheduler->engine(i).name == wanted) return i;
  }
  throw ApiError(404, "model_not_found", "model", "model: {} is not served here; GET /v1/models lists the models",
                 name.size() > 200 ? name.substr(0, 200) : name);
}

void Server::State::check_ready() const {
  if (is_draining) throw ApiError(503, "shutting_down", "", "the server is shutting down").with_retry_after(5);
  if (!is_ready) throw ApiError(503, "model_loading", "", "the model is being loaded").with_retry_after(2);
}

void Server::State::submit(const std::shared_ptr<Call>& call, Job job) {
  check_ready();
  job.owner = owner_of(*call);
  job.group = options.shares_cache ? 0 : job.owner;
  job.arrived = call->arrived;
  job.filter = output_filter;
  job.refusal = options.refusal;
  if (is_refused(job)) return refuse(job, call);
  time_constraint(job, model_metrics[job.model]->mask_seconds);
  const auto served = std::make_shared<ServedJob>(job, call, limits, records);
  job.listener = served;
  const Scheduler::Id id = scheduler->submit(std::move(job));
  post([this, call, served, id] {
    const auto cancel = [this, id] { scheduler->cancel(id); };
    served->on_broken = cancel;
    call->on_gone(cancel);
  });
}

// Whether the filter matches a prompt, as the model reads it.
bool Server::State::is_refused(const Job& job) const {
  if (!input_filter) return false;
  const Tokenizer& tokenizer = *engine(job.model).model.tokenizer;
  for (size_t i = 0; i < job.choices.size(); ++i) {
    if (!job.begins_prompt(i)) continue;
    if (input_filter->matches(replace_broken_characters(tokenizer.decode(*job.choices[i].prompt)))) return true;
  }
  return false;
}

// Answers with the refusal alone.
void Server::State::refuse(const Job& job, const std::shared_ptr<Call>& call) {
  if (job.wants_embedding) throw ApiError(400, "content_filter", "input", "input: is refused by this server's filter");
  post([job, call] {
    call->refused_code = "content_filter";
    job.listener->began();
    for (size_t i = 0; i < job.answers(); ++i) {
      job.listener->on_part({i, "", job.refusal, {}});
      AnswerEnd end;
      end.choice = i;
      end.reason = AnswerEnd::Reason::content_filter;
      end.prompt_tokens = std::ssize(*job.choices[i].prompt);
      job.listener->on_end(std::move(end));
    }
  });
}

void Server::State::on_pass(size_t model, const BatcherPass& pass) {
  ModelMetrics& m = *model_metrics[model];
  m.pass_tokens.add(static_cast<double>(pass.tokens));
  m.pass_sequences.add(static_cast<double>(pass.sequences));
  m.pass_seconds.add(pass.seconds);
}

void Server::State::on_end(const Job& job, const AnswerEnd& end, const Completion& completion, double queue_seconds) {
  ModelMetrics& m = *model_metrics[job.model];
  m.generation_tokens += static_cast<uint64_t>(end.completion_tokens);
  m.ended[static_cast<size_t>(end.reason)] += 1;
  // As in the usage, a prompt counts once.
  if (job.begins_prompt(end.choice)) {
    m.prompt_tokens += static_cast<uint64_t>(end.prompt_tokens);
    m.prefix_queries += static_cast<uint64_t>(end.prompt_tokens);
    m.prefix_hits += static_cast<uint64_t>(end.cached_tokens);
  }
  if (end.reason == AnswerEnd::Reason::cancelled || end.reason == AnswerEnd::Reason::failed) return;
  const double before = seconds_since(job.arrived) - completion.seconds;  // Until the batcher had it.
  const double decode = completion.seconds - completion.first_token_seconds;
  m.first_token.add(before + completion.first_token_seconds);
  m.whole.add(seconds_since(job.arrived));
  m.queue.add(queue_seconds);
  m.prefill.add(completion.first_token_seconds);
  m.decode.add(decode);
  if (completion.tokens.size() > 1) m.inter_token.add(decode / static_cast<double>(completion.tokens.size() - 1));
  m.prompt_sizes.add(static_cast<double>(end.prompt_tokens));
  m.answer_sizes.add(static_cast<double>(end.completion_tokens));
}

Server::Server(const ServerOptions& options) : state_(std::make_unique<State>(options)) {}
Server::~Server() = default;

int Server::port() const { return state_->http->port(); }

std::vector<Server::ModelInfo> Server::models() const {
  std::vector<ModelInfo> infos;
  for (size_t i = 0; i < state_->models(); ++i) {
    const Engine& engine = state_->engine(i);
    infos.push_back({engine.name, engine.context, engine.cache_bytes, engine.model.notes});
  }
  return infos;
}

void Server::drain() {
  state_->is_draining = true;
  state_->scheduler->drain(state_->options.drain_seconds);
  state_->http->stop(kLastBytes);
}

void Server::reload_keys() {
  const auto keys = load_keys(state_->options);
  state_->http->post([state = state_.get(), keys] { state->gate.set_keys(keys); });
}

std::string Server::status() const {
  const SchedulerState now = state_->scheduler->state();
  int64_t running = 0, waiting = 0;
  for (const auto& model : now.models) {
    running += model.running;
    waiting += model.waiting;
  }
  return fmt::format("{} running, {} waiting, {:.0f} tokens/s", running, waiting,
                     running == 0 ? 0.0 : now.tokens_per_second);
}

}  // namespace tinyllm
