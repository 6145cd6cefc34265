#include <tinyllm/runtime/serve/api_error.h>

#include <tinyllm/runtime/serve/json_text.h>

namespace tinyllm {

std::string_view code_of_status(int status) {
  switch (status) {
    case 401:
      return "invalid_api_key";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_exceeded";
    case 500:
      return "internal_error";
    case 503:
      return "server_overloaded";
    default:
      return "invalid_request";
  }
}

std::string_view error_type_of_status(int status) {
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

std::string ApiError::body() const {
  OrderedJson error = {{"message", what()}, {"type", error_type_of_status(status_)}};
  error["param"] = param_.empty() ? OrderedJson() : OrderedJson(param_);
  error["code"] = code_.empty() ? OrderedJson() : OrderedJson(code_);
  return text_of(OrderedJson{{"error", error}});
}

}  // namespace tinyllm
