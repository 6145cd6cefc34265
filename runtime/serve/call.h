#pragma once

#include <tinyllm/runtime/http/http.h>
#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/keys.h>
#include <tinyllm/tensor/base/clock.h>

#include <functional>
#include <memory>
#include <string>

namespace tinyllm {

/// How an endpoint words its errors.
enum class ErrorStyle : uint8_t { openai, anthropic };

/// One request while it is answered, with what its reply needs. The request may be read by any thread; everything else
/// belongs to the server's thread.
class Call {
 public:
  Call(HttpRequest request, HttpReply reply, std::shared_ptr<const Key> key);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const HttpRequest request;
  const std::shared_ptr<const Key> key;  ///< Null without keys.
  const std::string id;
  const Clock::time_point arrived = Clock::now();
  const char* handler = "";  ///< The route, for logs and counters.
  ErrorStyle error_style = ErrorStyle::openai;
  HttpFields headers;                 ///< Sent with the reply, whatever it is.
  std::vector<std::string> answered;  ///< For the audit log: how each answer of a model ended, as JSON.
  std::string refused_code;           ///< The code of the error that was sent; empty: none.

  void send(int status, std::string_view type, std::string_view body);
  void send_json(std::string_view body) { send(200, "application/json", body); }
  void send_error(const ApiError& error);
  /// A stream of server-sent events.
  void start_stream();
  void write(std::string_view bytes);
  void finish();
  /// Ends a stream that has begun with an error, and closes the connection.
  void fail_stream(const ApiError& error);

  bool is_gone() const { return reply_.is_gone(); }
  void on_gone(std::function<void()> callback) { reply_.on_gone(std::move(callback)); }

  /// Called once, at the end, with the status (499: the client has gone) and the bytes of the body.
  std::function<void(const Call& call, int status, uint64_t bytes)> on_done;

 private:
  HttpReply reply_;
  int status_ = 0;  // 0: nothing was sent.
  uint64_t bytes_ = 0;
  bool is_finished_ = false;
};

/// One server-sent event: `data: ...` with its empty line.
std::string event(std::string_view data);

/// Letters and digits for the name of something new.
std::string new_id(std::string_view prefix);

/// The error in an endpoint's words.
std::string error_body(const ApiError& error, ErrorStyle style);

}  // namespace tinyllm
