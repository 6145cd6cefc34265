// What the endpoints share. Only for sources of this folder.
#pragma once

#include <tinyllm/runtime/serve/call.h>
#include <tinyllm/runtime/serve/fields.h>
#include <tinyllm/runtime/serve/limits.h>
#include <tinyllm/runtime/serve/metrics.h>
#include <tinyllm/runtime/serve/scheduler.h>

#include <functional>
#include <memory>

namespace tinyllm {

/// The running server, as its endpoints see it. Const members may be used by any thread.
class Service {
 public:
  virtual ~Service() = default;

  /// The model that a request names; an empty name is the first one. Throws ApiError (404).
  virtual size_t model_of(const std::string& name) const = 0;
  virtual const Engine& engine(size_t model) const = 0;
  virtual size_t models() const = 0;
  /// Hands a checked job to the scheduler, with the limits of its key. Throws ApiError.
  virtual void submit(const std::shared_ptr<Call>& call, Job job) = 0;
  /// Runs a task on the server's thread.
  virtual void post(std::function<void()> task) = 0;
  /// Runs a task on a thread that may work for a while; on this one if too many wait for that. It must not throw.
  virtual void work(const Call& call, std::function<void()> task) = 0;
};

/// Answers a call. Runs on a thread that may work for a while; replies go through Service::post. What it throws is sent
/// as an error.
using EndpointFn = void (*)(Service& service, const std::shared_ptr<Call>& call);

void answer_chat(Service& service, const std::shared_ptr<Call>& call);
void answer_completion(Service& service, const std::shared_ptr<Call>& call);
void answer_embeddings(Service& service, const std::shared_ptr<Call>& call);
void answer_response(Service& service, const std::shared_ptr<Call>& call);
void answer_messages(Service& service, const std::shared_ptr<Call>& call);
void answer_tokenize(Service& service, const std::shared_ptr<Call>& call);
void answer_detokenize(Service& service, const std::shared_ptr<Call>& call);
void answer_models(Service& service, const std::shared_ptr<Call>& call);
/// /v1/models/NAME
void answer_model(Service& service, const std::shared_ptr<Call>& call);
void answer_openapi(Service& service, const std::shared_ptr<Call>& call);

/// Sends a whole reply in JSON, from any thread.
void send_json(Service& service, const std::shared_ptr<Call>& call, std::string body);

/// Numbers in a reply from which on the server's thread should not write it.
inline constexpr int64_t kLongReply = 10'000;
/// Sends what `write` returns, a whole reply in JSON, and runs it where Service::work does. If it throws, `reply` is
/// told so on the server's thread.
void send_long_json(Service& service, const std::shared_ptr<Call>& call, std::shared_ptr<JobListener> reply,
                    std::function<std::string()> write);

}  // namespace tinyllm
