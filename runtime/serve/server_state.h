// What a running server is made of. Only for server.cc and server_requests.cc.
#pragma once

#include <tinyllm/runtime/serve/assets.h>
#include <tinyllm/runtime/serve/front_pool.h>
#include <tinyllm/runtime/serve/gate.h>
#include <tinyllm/runtime/serve/records.h>
#include <tinyllm/runtime/serve/routes.h>
#include <tinyllm/runtime/serve/server.h>

#include <atomic>

namespace tinyllm {

/// A refusal in the words of an endpoint.
HttpRefusal refusal_of(const ApiError& error, ErrorStyle style = ErrorStyle::openai);

/// Who shares the machine fairly with others.
inline uint64_t owner_of(const Call& call) { return call.key ? call.key->owner() : 0; }

struct Server::State final : Service, SchedulerObserver {
  explicit State(const ServerOptions& o);
  ~State() override;

  // Of Service.
  size_t model_of(const std::string& name) const override;
  const Engine& engine(size_t model) const override { return scheduler->engine(model); }
  size_t models() const override { return scheduler->models(); }
  void submit(const std::shared_ptr<Call>& call, Job job) override;
  void post(std::function<void()> task) override { http->post(std::move(task)); }
  void work(const Call& call, std::function<void()> task) override { front->add(owner_of(call), {0, task, task}); }

  // Of SchedulerObserver.
  void on_pass(size_t model, const BatcherPass& pass) override;
  void on_end(const Job& job, const AnswerEnd& end, const Completion& completion, double queue_seconds) override;

  bool is_open(const HttpRequest& request) const;
  void check_body(const HttpRequest& request, const Route* route, bool method_fits) const;
  std::optional<HttpRefusal> check(const HttpRequest& request);
  void handle(HttpRequest&& request, HttpReply&& reply);
  void dispatch(const std::shared_ptr<Call>& call);
  void answer_health(Call& call) const;
  void answer_metrics(Call& call);
  void answer_asset(Call& call, const Asset& asset) const;
  void run_endpoint(const Route& route, const std::shared_ptr<Call>& call);
  bool is_refused(const Job& job) const;
  void refuse(const Job& job, const std::shared_ptr<Call>& call);
  void load_models();
  void check_ready() const;

  const ServerOptions options;
  ServerMetrics metrics;
  std::vector<std::unique_ptr<ModelMetrics>> model_metrics;
  Records records;
  Limits limits;
  const std::shared_ptr<const Filter> input_filter, output_filter;
  Gate gate;  // Of the server's thread.
  std::atomic<bool> is_ready{false}, is_draining{false};
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<FrontPool> front;
};

}  // namespace tinyllm
