#pragma once

#include <tinyllm/runtime/http/http_request.h>

#include <memory>

namespace tinyllm {

/// Parses one request from bytes as they arrive.
class RequestParser {
 public:
  RequestParser(const HttpLimits& limits, bool is_loopback);
  ~RequestParser();
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;

  enum class State { empty, header, body, done };
  State state() const { return state_; }

  /// Takes bytes up to the end of the request. Returns how many; the rest belongs to the next request. Throws
  /// HttpError.
  size_t add(std::string_view bytes);

  /// Once the header is complete:
  bool is_http_1_0() const;
  bool keeps_alive() const;
  bool expects_continue() const;
  const HttpRequest& request() const { return request_; }  ///< Without its body.
  /// The request, when state() is done.
  HttpRequest take();

 private:
  struct Beast;

  size_t add_header(std::string_view bytes);
  size_t add_body(std::string_view bytes);
  void add_header_byte(char byte);
  void check_header();
  void parse_raw();

  const HttpLimits* limits_;
  bool is_loopback_;
  State state_ = State::empty;
  std::unique_ptr<Beast> beast_;
  HttpRequest request_;
  std::string raw_;        ///< Bytes that Beast has not parsed yet.
  size_t line_start_ = 0;  ///< In raw_, while the header is read.
  size_t lines_ = 0;
  size_t body_raw_bytes_ = 0;  ///< With the framing of chunks.
};

}  // namespace tinyllm
