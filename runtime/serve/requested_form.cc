#include <tinyllm/runtime/serve/requested_form.h>

#include <tinyllm/model/text/jinja_chat_template.h>
#include <tinyllm/runtime/serve/answer_text.h>
#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/ordered_field.h>
#include <tinyllm/runtime/serve/wire_tools.h>

namespace tinyllm {
namespace {

// {"type": "json_schema"} has its schema in a part of its own in chat completions, elsewhere beside the type.
void read_format(const OrderedJson& format, const std::string& param, Endpoint endpoint, RequestedForm& requested) {
  const std::string type = need_text(format, "type", param);
  if (type == "text") return;
  std::string schema = R"({"type": "object"})";
  requested.param = param;
  if (type == "json_schema") {
    const std::string owner = endpoint == kChat ? param + ".json_schema" : param;
    const OrderedJson& described = endpoint == kChat ? need_object(format, "json_schema", param) : format;
    if (endpoint != kMessages) need_text(described, "name", owner);
    schema = need_schema(described, "schema", owner).dump();
    requested.param = owner + ".schema";
  } else if (type != "json_object") {
    refuse_value(param + ".type", shortened(type) + ", expected text, json_object or json_schema");
  }
  requested.form = AnswerForm{.choices = {{.schema = std::move(schema), .what = requested.param}}};
}

void read_format(const Fields& fields, Endpoint endpoint, std::string_view body, RequestedForm& requested) {
  const char* name = endpoint == kChat ? "response_format" : endpoint == kResponses ? "text" : "output_config";
  if (fields.find(name) == nullptr) return;
  const OrderedJson given = ordered_field(body, name);
  if (endpoint == kChat) return read_format(given, name, endpoint, requested);
  const auto format = given.find("format");
  if (format != given.end() && !format->is_null()) {
    read_format(*format, fmt::format("{}.format", name), endpoint, requested);
  }
}

void read_calls(const Fields& fields, Endpoint endpoint, std::string_view body, const Engine& engine,
                RequestedForm& requested) {
  const WireTools tools = read_tools(fields, endpoint, body);
  if (tools.callable.empty()) return;
  if (requested.form) refuse_value("tools", "does not go together with a format of the answer");
  const CallStyle style = call_style_of(*engine.model.chat_template);
  if (!tools.must_call && style == CallStyle::plain) {
    refuse_value("tool_choice",
                 "auto, expected one that makes a call: this model's template has no form for optional calls");
  }
  requested.param = "tools";
  requested.calls = style;
  requested.is_whole = true;
  requested.tools = tools.shown;
  try {
    requested.form = tools.must_call ? call_form(tools.callable, style, tools.several)
                                     : optional_call_form(tools.callable, tools.several);
  } catch (const Error& error) {
    throw ApiError(400, "invalid_value", "tools", "{}", error.what());
  }
}

// The chains of thought that a model may begin with; the one that the prompt has begun.
std::vector<AnswerForm::FreePart> thinking_parts(const Engine& engine, std::string_view begun) {
  std::vector<AnswerForm::FreePart> parts;
  for (const AnswerText::Style& style : AnswerText::styles()) {
    AnswerForm::FreePart part{std::string(style.title), std::string(style.end), 2};
    if (begun.starts_with(style.title)) return {{"", part.until, 2}};
    const bool is_default = engine.model.chat_template == default_chat_template();
    const bool is_known = engine.model.tokenizer->special(style.title).has_value();
    if (style.is_default ? is_default : is_known) parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

RequestedForm read_form(const Fields& fields, Endpoint endpoint, std::string_view body, const Engine& engine) {
  RequestedForm requested;
  read_format(fields, endpoint, body, requested);
  requested.is_whole = requested.form && fields.flag("close_json");
  read_calls(fields, endpoint, body, engine, requested);
  if (requested.form && endpoint == kChat && fields.flag("continue_final_message")) {
    refuse_value("continue_final_message", "does not go together with a response_format or tools");
  }
  return requested;
}

void set_constraint(const RequestedForm& requested, const Engine& engine, Job& job) {
  if (!requested.form) return;
  AnswerForm form = *requested.form;
  std::vector<AnswerForm::FreePart> thoughts = thinking_parts(engine, job.choices[0].begun);
  for (AnswerForm::FreePart& thought : thoughts) thought.is_thought = form.may_end_in_free;
  form.free.insert(form.free.begin(), thoughts.begin(), thoughts.end());
  if (requested.calls) {
    // A stop string that cut a call would leave nothing of it.
    if (form.may_end_in_free) {
      job.stop_until = kCallOpening;
    } else {
      job.stop.clear();
    }
  }
  try {
    job.options.constraint = engine.constraints.make(form, requested.is_whole ? job.options.max_tokens : 0);
  } catch (const Error& error) {
    throw ApiError(400, "invalid_value", requested.param, "{}", error.what());
  }
}

}  // namespace tinyllm
