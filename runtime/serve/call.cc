#include <tinyllm/runtime/serve/call.h>

#include <tinyllm/runtime/serve/json_text.h>

#include <sys/random.h>

#include <array>

namespace tinyllm {

std::string event(std::string_view data) { return fmt::format("data: {}\n\n", data); }

std::string new_id(std::string_view prefix) {
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz__";
  std::array<unsigned char, 24> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != std::ssize(bytes)) throw Error("no random bytes");
  std::string id(prefix);
  for (const unsigned char byte : bytes) id += kLetters[byte % kLetters.size()];
  return id;
}

std::string error_body(const ApiError& error, ErrorStyle style) {
  if (style == ErrorStyle::openai) return error.body();
  const int status = error.status();
  const char* type = status == 401   ? "authentication_error"
                     : status == 403 ? "permission_error"
                     : status == 404 ? "not_found_error"
                     : status == 413 ? "request_too_large"
                     : status == 429 ? "rate_limit_error"
                     : status == 503 ? "overloaded_error"
                     : status >= 500 ? "api_error"
                                     : "invalid_request_error";
  return text_of(OrderedJson{{"type", "error"}, {"error", {{"type", type}, {"message", error.what()}}}});
}

Call::Call(HttpRequest given, HttpReply reply, std::shared_ptr<const Key> owner)
    : request(std::move(given)), key(std::move(owner)), id(new_id("req_")), reply_(std::move(reply)) {
  headers.emplace_back("X-Request-Id", id);
}

Call::~Call() {
  if (on_done) on_done(*this, is_finished_ ? status_ : 499, bytes_);
}

void Call::send(int status, std::string_view type, std::string_view body) {
  status_ = status;
  bytes_ = body.size();
  is_finished_ = !reply_.is_gone();
  reply_.send(status, type, body, headers);
}

void Call::send_error(const ApiError& error) {
  refused_code = error.code();
  if (error.status() == 401) headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.retry_after() > 0) headers.emplace_back("Retry-After", fmt::format("{}", error.retry_after()));
  if (error.code() == "insufficient_quota") headers.emplace_back("X-Should-Retry", "false");
  send(error.status(), "application/json", error_body(error, error_style));
}

void Call::start_stream() {
  status_ = 200;
  headers.emplace_back("Cache-Control", "no-cache");
  headers.emplace_back("X-Accel-Buffering", "no");
  reply_.start(200, "text/event-stream; charset=utf-8", headers);
}

void Call::write(std::string_view bytes) {
  bytes_ += bytes.size();
  reply_.write(bytes);
}

void Call::finish() {
  is_finished_ = !reply_.is_gone();
  reply_.finish();
}

void Call::fail_stream(const ApiError& error) {
  status_ = error.status();
  refused_code = error.code();
  if (error_style == ErrorStyle::anthropic) write("event: error\n");
  write(event(error_body(error, error_style)));
  // Ended in form, so that proxies pass the event on; that the last event is missing shows that the answer is not
  // whole.
  finish();
}

}  // namespace tinyllm
