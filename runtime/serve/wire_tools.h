// The functions that a request offers, in the form of its endpoint. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/runtime/constraint/tool_calls.h>
#include <tinyllm/runtime/serve/fields.h>

#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

struct WireTools {
  std::vector<Tool> callable = {};  ///< Those that the answer may call; empty: it calls none.
  std::string shown = {};           ///< All of them, for the chat template: a list in the form of chat completions.
  bool must_call = false;           ///< Else it may be text too.
  bool several = false;             ///< In one answer.
};

/// Reads tools, tool_choice and whether calls may be parallel. `body` is that of the request: schemas have an order.
/// Throws ApiError.
WireTools read_tools(const Fields& fields, Endpoint endpoint, std::string_view body);

}  // namespace tinyllm
