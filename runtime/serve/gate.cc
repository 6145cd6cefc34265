#include <tinyllm/runtime/serve/gate.h>

#include <algorithm>

namespace tinyllm {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// What a client says is its key: "Authorization: Bearer KEY", "X-Api-Key: KEY" or "Api-Key: KEY".
std::string_view key_sent(const HttpRequest& request) {
  const std::string_view authorization = request.header("authorization");
  constexpr std::string_view kBearer = "bearer ";
  if (lower(authorization.substr(0, kBearer.size())) == kBearer) return authorization.substr(kBearer.size());
  const std::string_view key = request.header("x-api-key");
  return key.empty() ? request.header("api-key") : key;
}

std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  return colon == std::string_view::npos || host.ends_with(']') ? host : host.substr(0, colon);
}

}  // namespace

Gate::Gate(GateOptions options, std::shared_ptr<const Keys> keys)
    : options_(std::move(options)), keys_(std::move(keys)) {}

bool Gate::may_ask(std::string_view origin, std::string_view host) const {
  if (std::ranges::find(options_.cors, origin) != options_.cors.end()) return true;
  const size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && origin.substr(scheme + 3) == host;
}

void Gate::check_source(const HttpRequest& request) const {
  const std::string_view host = request.header("host"), origin = request.header("origin");
  const std::string_view name = without_port(host);
  const bool is_ours = names_loopback(host) || (!name.empty() && (name == options_.host || name == options_.address));
  if (keys_ == nullptr && !is_ours) {
    throw ApiError(403, "forbidden", "", "Host: expected a name of this machine, such as localhost");
  }
  if (!origin.empty() && !may_ask(origin, host)) {
    throw ApiError(403, "forbidden", "", "Origin: pages from elsewhere may not use this server");
  }
}

std::shared_ptr<const Key> Gate::check_key(const HttpRequest& request) const {
  if (keys_ == nullptr) return nullptr;
  const std::string_view sent = key_sent(request);
  if (sent.empty()) {
    throw ApiError(401, "invalid_api_key", "", "no key was sent; expected the header Authorization: Bearer KEY");
  }
  if (auto key = keys_->find(sent)) return key;
  throw ApiError(401, "invalid_api_key", "", "the key is not one of this server's");
}

HttpFields Gate::cors_headers(const HttpRequest& request) const {
  const std::string_view origin = request.header("origin");
  if (std::ranges::find(options_.cors, origin) == options_.cors.end()) return {};
  return {{"Access-Control-Allow-Origin", std::string(origin)},
          {"Access-Control-Expose-Headers",
           "Retry-After, X-RateLimit-Limit-Requests, X-RateLimit-Limit-Tokens, X-RateLimit-Remaining-Requests, "
           "X-RateLimit-Remaining-Tokens, X-RateLimit-Reset-Requests, X-RateLimit-Reset-Tokens, X-Request-Id, X-Seed, "
           "X-Should-Retry"},
          {"Vary", "Origin"}};
}

}  // namespace tinyllm
