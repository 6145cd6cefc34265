#pragma once

#include <tinyllm/runtime/http/http_request.h>
#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/keys.h>

#include <memory>
#include <string>
#include <vector>

namespace tinyllm {

struct GateOptions {
  std::string host;               ///< A name of this server besides those of this machine, without a port.
  std::string address;            ///< What it listens on.
  std::vector<std::string> cors;  ///< Origins whose pages may use the server, as "http://example.org".
};

/// Who may ask. With keys: whoever has one. Without: programs of this machine, and no page from elsewhere, which
/// reaches a loopback address through the reader's browser.
class Gate {
 public:
  Gate(GateOptions options, std::shared_ptr<const Keys> keys);

  /// Throws ApiError when the request's Host or Origin is not one to answer.
  void check_source(const HttpRequest& request) const;
  /// The key of a request; null without keys. Throws ApiError (401) when it has none, or a wrong one.
  std::shared_ptr<const Key> check_key(const HttpRequest& request) const;
  /// The headers that let a page of an allowed origin read the reply; none for others.
  HttpFields cors_headers(const HttpRequest& request) const;

  bool has_keys() const { return keys_ != nullptr; }
  void set_keys(std::shared_ptr<const Keys> keys) { keys_ = std::move(keys); }

 private:
  bool may_ask(std::string_view origin, std::string_view host) const;

  GateOptions options_;
  std::shared_ptr<const Keys> keys_;
};

}  // namespace tinyllm
