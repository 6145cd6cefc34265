#include <tinyllm/runtime/request.h>

namespace tinyllm {

const char* name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::end_token:
      return "end token";
    case FinishReason::stop_string:
      return "stop string";
    case FinishReason::max_tokens:
      return "max tokens";
    case FinishReason::context_full:
      return "context full";
    case FinishReason::cancelled:
      return "cancelled";
    case FinishReason::failed:
      return "failed";
  }
  return "";
}

}  // namespace tinyllm
