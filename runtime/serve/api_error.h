#pragma once

#include <tinyllm/tensor/base/error.h>

#include <string>
#include <string_view>

namespace tinyllm {

/// A request that is refused as OpenAI's API does: an HTTP status, a code for programs, the field that is wrong (empty:
/// none), and a message for people.
class ApiError : public Error {
 public:
  template <class... Args>
  ApiError(int status, std::string_view code, std::string_view param, fmt::format_string<Args...> format,
           Args&&... args)
      : Error(format, std::forward<Args>(args)...), status_(status), code_(code), param_(param) {}

  int status() const { return status_; }
  const std::string& code() const { return code_; }
  const std::string& param() const { return param_; }
  /// For 429 and 503: seconds after which to try again; 0: not said.
  int retry_after() const { return retry_after_; }
  ApiError with_retry_after(int seconds) && {
    retry_after_ = seconds;
    return std::move(*this);
  }

  /// {"error":{"message","type","param","code"}}
  std::string body() const;

 private:
  int status_;
  std::string code_;
  std::string param_;
  int retry_after_ = 0;
};

/// The code and the type that go with a status when nothing more is known.
std::string_view code_of_status(int status);
std::string_view error_type_of_status(int status);

}  // namespace tinyllm
