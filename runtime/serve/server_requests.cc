// From the header of a request to its endpoint.
#include <tinyllm/runtime/serve/server_state.h>

#include <algorithm>

namespace tinyllm {
namespace {

ErrorStyle error_style_of(const Route* route) { return route == nullptr ? ErrorStyle::openai : route->errors; }

// What the server answers itself.
bool is_own(const HttpRequest& request) {
  return request.path == "/health" || request.path == "/metrics" || asset_of(request.path) != nullptr;
}

const char* methods_of(const Route* route) {
  return route != nullptr && std::string_view(route->method) == "POST" ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

ApiError nothing_here(const HttpRequest& request) {
  return ApiError(404, "not_found", "", "{} {}: there is nothing here", request.method, request.path);
}

ApiError wrong_method(const HttpRequest& request, const Route* route) {
  return ApiError(405, "method_not_allowed", "", "{} {}: expected {}", request.method, request.path, methods_of(route));
}

}  // namespace

HttpRefusal refusal_of(const ApiError& error, ErrorStyle style) {
  HttpRefusal refusal{.status = error.status(), .type = "application/json", .body = error_body(error, style)};
  if (error.status() == 401) refusal.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.retry_after() > 0) refusal.headers.emplace_back("Retry-After", fmt::format("{}", error.retry_after()));
  return refusal;
}

// Whether a request needs no key.
bool Server::State::is_open(const HttpRequest& request) const {
  return request.path == "/health" || asset_of(request.path) != nullptr || request.method == "OPTIONS" ||
         (request.path == "/metrics" && options.open_metrics);
}

// A body that nobody would look at is not read.
void Server::State::check_body(const HttpRequest& request, const Route* route, bool method_fits) const {
  const std::string_view length = request.header("content-length");
  const bool has_body = !request.header("transfer-encoding").empty() || (!length.empty() && length != "0");
  if (!has_body || (route != nullptr && method_fits && route->fields != 0)) return;
  const bool is_read = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
  const bool is_known = route != nullptr || is_own(request);
  if (!is_known) throw nothing_here(request);
  if (!is_read) throw wrong_method(request, route);
  throw ApiError(413, "request_too_large", "", "{} {}: has a body, expected none", request.method, request.path);
}

// Before the body of a request is read.
std::optional<HttpRefusal> Server::State::check(const HttpRequest& request) {
  bool method_fits = false;
  const Route* route = route_of(request.method, request.path, method_fits);
  std::shared_ptr<const Key> key;
  try {
    gate.check_source(request);
    if (!is_open(request)) key = gate.check_key(request);
    check_body(request, route, method_fits);
    if (key && route != nullptr && method_fits && route->fields != 0) limits.take_request(*key);
    return std::nullopt;
  } catch (const ApiError& error) {
    HttpRefusal refusal = refusal_of(error, error_style_of(route));
    const std::string id = new_id("req_");
    records.refused(request, error, id);
    refusal.headers.emplace_back("X-Request-Id", id);
    if (error.status() == 405) refusal.headers.emplace_back("Allow", methods_of(route));
    if (key) std::ranges::move(limits.headers(*key), std::back_inserter(refusal.headers));
    std::ranges::move(gate.cors_headers(request), std::back_inserter(refusal.headers));
    return refusal;
  }
}

void Server::State::handle(HttpRequest&& request, HttpReply&& reply) {
  std::shared_ptr<const Key> key;
  std::optional<ApiError> refused;
  try {
    key = gate.check_key(request);
  } catch (const ApiError& error) {
    if (!is_open(request)) refused = error;  // It was withdrawn while the body arrived.
  }
  const auto call = std::make_shared<Call>(std::move(request), std::move(reply), key);
  ++metrics.open_requests;
  call->on_done = [this](const Call& done, int status, uint64_t bytes) {
    --metrics.open_requests;
    records.done(done, status, bytes);
  };
  for (const auto& field : gate.cors_headers(call->request)) call->headers.push_back(field);
  if (key) {
    for (const auto& field : limits.headers(*key)) call->headers.push_back(field);
  }
  bool method_fits = false;
  call->error_style = error_style_of(route_of(call->request.method, call->request.path, method_fits));
  try {
    if (refused) throw *refused;
    dispatch(call);
  } catch (const ApiError& error) {
    call->send_error(error);
  }
}

void Server::State::dispatch(const std::shared_ptr<Call>& call) {
  const HttpRequest& request = call->request;
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  bool method_fits = false;
  const Route* route = route_of(request.method, request.path, method_fits);
  if (route == nullptr && !is_own(request)) throw nothing_here(request);
  const Asset* asset = asset_of(request.path);
  const char* methods = methods_of(route);
  call->handler = route != nullptr ? route->path : asset == nullptr ? request.path.c_str() : "/";
  if (request.method == "OPTIONS") {
    call->headers.emplace_back("Allow", methods);
    if (!gate.cors_headers(request).empty()) {
      call->headers.emplace_back("Access-Control-Allow-Methods", methods);
      call->headers.emplace_back("Access-Control-Allow-Headers",
                                 std::string(request.header("access-control-request-headers")));
      call->headers.emplace_back("Access-Control-Max-Age", "600");
    }
    return call->send(204, "text/plain", "");
  }
  if (route != nullptr ? !method_fits : !is_read) {
    call->headers.emplace_back("Allow", methods);
    throw wrong_method(request, route);
  }
  if (route != nullptr) return run_endpoint(*route, call);
  if (asset != nullptr) return answer_asset(*call, *asset);
  if (request.path == "/health") return answer_health(*call);
  answer_metrics(*call);
}

// What has a body is parsed and tokenised on another thread.
void Server::State::run_endpoint(const Route& route, const std::shared_ptr<Call>& call) {
  check_ready();
  if (route.fields == 0) return route.answer(*this, call);
  const auto refuse = [this, call](const ApiError& error) { post([call, error] { call->send_error(error); }); };
  const auto run = [this, call, refuse, answer = route.answer] {
    try {
      answer(*this, call);
    } catch (const ApiError& error) {
      refuse(error);
    } catch (const std::exception& error) {
      refuse(ApiError(500, "internal_error", "", "{}", error.what()));
    }
  };
  const auto refuse_one = [refuse] {
    refuse(ApiError(503, "server_overloaded", "", "too many requests at once").with_retry_after(1));
  };
  front->add(owner_of(*call), {static_cast<double>(call->request.body.size()), run, refuse_one});
}

void Server::State::answer_health(Call& call) const {
  const char* status = "ok";
  if (is_draining) {
    status = "draining";
  } else if (!is_ready) {
    status = "loading";
  } else if (scheduler->state().is_stalled) {
    status = "stalled";
  }
  const int code = status == std::string_view("ok") ? 200 : 503;
  call.send(code, "application/json", fmt::format("{{\"status\":\"{}\"}}", status));
}

void Server::State::answer_metrics(Call& call) {
  check_ready();
  metrics.connections = http->connections();
  const SchedulerState state = scheduler->state();
  std::vector<ModelGauges> gauges;
  for (size_t i = 0; i < state.models.size(); ++i) {
    const SchedulerState::OfModel& model = state.models[i];
    gauges.push_back(
        {scheduler->engine(i).name, model.running, model.waiting, model.cache_use, model_metrics[i].get()});
  }
  call.send(200, "text/plain; version=0.0.4; charset=utf-8",
            metrics_page(gauges, metrics, scheduler->engine(0).fingerprint));
}

void Server::State::answer_asset(Call& call, const Asset& asset) const {
  call.headers.emplace_back("ETag", asset.etag);
  call.headers.emplace_back("Cache-Control", "no-cache");
  call.headers.emplace_back("Content-Security-Policy", kPagePolicy);
  call.headers.emplace_back("Referrer-Policy", "no-referrer");
  if (call.request.header("if-none-match") == asset.etag) return call.send(304, asset.type, "");
  call.send(200, asset.type, asset.bytes);
}

}  // namespace tinyllm
