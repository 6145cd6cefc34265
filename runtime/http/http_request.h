#pragma once

#include <tinyllm/tensor/base/error.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tinyllm {

/// What one client may take. A request beyond a limit is refused with the status in brackets, and its connection
/// closed.
struct HttpLimits {
  size_t connections = 64;  ///< Open at once, and never more than a quarter of the files that the process may open.
  size_t requests = 1000;   ///< On one connection, one after the other; then it is closed.
  size_t request_line_bytes = 8 << 10;  ///< [414]
  size_t header_bytes = 16 << 10;       ///< Request line and header fields together [431].
  size_t header_lines = 100;            ///< [431]
  size_t body_bytes = 0;                ///< After decoding chunks [413].
  size_t all_body_bytes = 256 << 20;    ///< Of all requests that are read or answered [503].
  /// Of a streamed reply. A client that leaves more unread is disconnected once it has taken nothing for a second, or
  /// four times as much has come since.
  size_t unsent_bytes = 4 << 20;
  std::chrono::milliseconds idle_timeout{60'000};    ///< Between two requests.
  std::chrono::milliseconds header_timeout{10'000};  ///< From the first byte of a request to the end of its header.
  std::chrono::milliseconds body_timeout{30'000};    ///< For the whole body.
  std::chrono::milliseconds write_timeout{30'000};   ///< For each piece of a reply to be taken by the client.
};

/// A request that is refused, with the HTTP status that says why.
class HttpError : public Error {
 public:
  template <class... Args>
  explicit HttpError(int status, fmt::format_string<Args...> format, Args&&... args)
      : Error(format, std::forward<Args>(args)...), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

/// Names and values in the order they were sent. A name may occur several times.
using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  ///< As sent: "GET".
  std::string path;    ///< Begins with '/', percent-decoded, valid UTF-8 without control characters.
  HttpFields query;    ///< Decoded in the same way, '+' as a blank.
  HttpFields headers;  ///< Names in lower case.
  std::string body;

  /// The value of the first header of this name (lower case), or "".
  std::string_view header(std::string_view name) const;
  /// The value of the first query parameter of this name, if there is one.
  std::optional<std::string> parameter(std::string_view name) const;
};

/// Parses the first request in `bytes` exactly as HttpServer does, with the same limits and checks but without a
/// socket. `is_loopback`: only requests whose Host is a name of this machine are accepted. Throws HttpError.
HttpRequest parse_http(std::string_view bytes, const HttpLimits& limits, bool is_loopback = true);

/// Sets path and query from a request target, `/path?name=value&...`. Throws HttpError.
void set_target(HttpRequest& request, std::string_view target);

/// Whether a Host header, with any port, names this machine. A page from elsewhere whose name was pointed at this
/// machine (DNS rebinding) still sends its own name.
bool names_loopback(std::string_view host);

}  // namespace tinyllm
