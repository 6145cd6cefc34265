// The form that a request wants its answer to have. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/runtime/constraint/tool_calls.h>
#include <tinyllm/runtime/serve/engine.h>
#include <tinyllm/runtime/serve/fields.h>
#include <tinyllm/runtime/serve/job.h>

#include <optional>
#include <string>
#include <string_view>

namespace tinyllm {

struct RequestedForm {
  std::optional<AnswerForm> form;  ///< None: any text. Without the chain of thought that may come before it.
  std::optional<CallStyle> calls;  ///< How a call of a tool is written; none: none is called.
  bool is_whole = false;           ///< Complete even at the limit of tokens.
  std::string tools = {};          ///< For the chat template: a list in JSON; empty: none.
  std::string param = {};          ///< The field that the schemas came from.
};

/// Reads tools, and what the endpoint has of response_format, text.format, output_config.format and close_json. `body`
/// is that of the request: the fields of its schemas have an order. Throws ApiError.
RequestedForm read_form(const Fields& fields, Endpoint endpoint, std::string_view body, const Engine& engine);

/// Makes the constraint of a job whose choices and longest answer are known. Throws ApiError that names path and
/// keyword of a schema that is not supported.
void set_constraint(const RequestedForm& requested, const Engine& engine, Job& job);

}  // namespace tinyllm
