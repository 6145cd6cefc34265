#include <tinyllm/runtime/serve/requested_form.h>

#include <tinyllm/model/text/jinja_chat_template.h>
#include <tinyllm/runtime/serve/answer_text.h>
#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/json_text.h>

namespace tinyllm {
namespace {

constexpr size_t kMaxKeys = 8192;  // Each new one is compared with those of its object.
constexpr size_t kMaxTools = 128;
constexpr std::string_view kSchemaParam = "response_format.json_schema.schema";

// A field of the body with its objects in their own order.
OrderedJson ordered_field(std::string_view body, std::string_view name) {
  size_t keys = 0;
  bool is_wanted = false;
  const auto keep = [&](int depth, OrderedJson::parse_event_t event, OrderedJson& parsed) {
    if (event != OrderedJson::parse_event_t::key) return true;
    if (depth == 1) is_wanted = parsed == name;
    if (is_wanted && ++keys > kMaxKeys) {
      throw ApiError(400, "invalid_value", name, "{}: more than {} keys", name, kMaxKeys);
    }
    return is_wanted;
  };
  return OrderedJson::parse(body, keep)[std::string(name)];
}

[[noreturn]] void refuse(std::string_view param, std::string_view what) {
  throw ApiError(400, "invalid_value", param, "{}: {}", param, what);
}

// The value of a field that must be there.
template <class Type>
const OrderedJson& need(const OrderedJson& object, const char* name, std::string_view param, Type is_type,
                        std::string_view expected) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || found == object.end() || !is_type(*found)) {
    const std::string field = fmt::format("{}.{}", param, name);
    throw ApiError(400, "invalid_type", field, "{}: expected {}", field, expected);
  }
  return *found;
}

bool is_string(const OrderedJson& value) { return value.is_string(); }
bool is_object(const OrderedJson& value) { return value.is_object(); }
bool is_schema(const OrderedJson& value) { return value.is_object() || value.is_boolean(); }

void read_response_format(const OrderedJson& format, RequestedForm& requested) {
  const std::string type = need(format, "type", "response_format", is_string, "a string");
  if (type == "text") return;
  std::string schema = R"({"type": "object"})";
  requested.param = "response_format";
  if (type == "json_schema") {
    const OrderedJson& described = need(format, "json_schema", "response_format", is_object, "an object");
    schema = need(described, "schema", "response_format.json_schema", is_schema, "a JSON schema").dump();
    requested.param = kSchemaParam;
  } else if (type != "json_object") {
    refuse("response_format.type", shortened(type) + ", expected text, json_object or json_schema");
  }
  requested.form = AnswerForm{.choices = {{.schema = std::move(schema), .what = requested.param}}};
}

std::vector<Tool> read_tools(const OrderedJson& list) {
  if (list.size() > kMaxTools) refuse("tools", fmt::format("{} tools, expected at most {}", list.size(), kMaxTools));
  std::vector<Tool> tools;
  for (const OrderedJson& one : list) {
    const std::string param = fmt::format("tools[{}]", tools.size());
    if (need(one, "type", param, is_string, "a string") != "function") refuse(param + ".type", "expected function");
    const OrderedJson& function = need(one, "function", param, is_object, "an object");
    const auto parameters = function.find("parameters");
    const bool has_parameters = parameters != function.end() && !parameters->is_null();
    tools.push_back({need(function, "name", param + ".function", is_string, "a string").get<std::string>(),
                     has_parameters ? parameters->dump() : R"({"type": "object", "additionalProperties": false})"});
  }
  return tools;
}

// The name of the one function that must be called; empty: any.
std::string chosen_function(const Json& choice) {
  const Json* type = choice.is_object() ? find_field(choice, "type") : nullptr;
  const Json* function = choice.is_object() ? find_field(choice, "function") : nullptr;
  const Json* name = function != nullptr && function->is_object() ? find_field(*function, "name") : nullptr;
  const bool is_named = type != nullptr && *type == "function" && name != nullptr && name->is_string();
  if (!is_named)
    refuse("tool_choice", "expected none, auto, required or {\"type\": \"function\", \"function\": {\"name\": ...}}");
  return name->get<std::string>();
}

void read_calls(const Fields& fields, std::string_view body, const Engine& engine, RequestedForm& requested) {
  const Json* given = fields.find("tools");
  const Json* choice = fields.find("tool_choice");
  if (given == nullptr || given->empty() || (choice != nullptr && *choice == "none")) return;
  if (requested.form) refuse("tools", "does not go together with a response_format");
  const OrderedJson list = ordered_field(body, "tools");
  std::vector<Tool> tools = read_tools(list);
  const CallStyle style = call_style_of(*engine.model.chat_template);
  requested.param = "tools";
  requested.calls = style;
  requested.is_whole = true;
  requested.tools = list.dump();
  try {
    if (choice == nullptr || *choice == "auto") {
      if (style == CallStyle::plain) {
        refuse("tool_choice", "auto, expected required or a function: this model's template has no form for calls");
      }
      requested.may_think = false;
      requested.form = optional_call_form(tools);
      return;
    }
    if (*choice != "required") {
      const std::string name = chosen_function(*choice);
      std::erase_if(tools, [&](const Tool& tool) { return tool.name != name; });
      if (tools.empty()) refuse("tool_choice", fmt::format("no function is called {}", shortened(name)));
    }
    requested.form = call_form(tools, style);
  } catch (const ApiError&) {
    throw;
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

RequestedForm read_form(const Fields& fields, std::string_view body, const Engine& engine) {
  RequestedForm requested;
  if (fields.find("response_format") != nullptr) {
    read_response_format(ordered_field(body, "response_format"), requested);
    requested.is_whole = fields.flag("close_json");
  }
  read_calls(fields, body, engine, requested);
  if (requested.form && fields.flag("continue_final_message")) {
    refuse("continue_final_message", "does not go together with a response_format or tools");
  }
  return requested;
}

void set_constraint(const RequestedForm& requested, const Engine& engine, Job& job) {
  if (!requested.form) return;
  AnswerForm form = *requested.form;
  if (requested.may_think) form.free = thinking_parts(engine, job.choices[0].begun);
  try {
    job.options.constraint = engine.constraints.make(form, requested.is_whole ? job.options.max_tokens : 0);
  } catch (const Error& error) {
    throw ApiError(400, "invalid_value", requested.param, "{}", error.what());
  }
}

void refuse_tools(const Fields& fields) {
  const Json* tools = fields.find("tools");
  const Json* choice = fields.find("tool_choice");
  const bool calls_none = choice != nullptr && *choice == "none";
  if (tools == nullptr || tools->empty() || calls_none) return;
  throw ApiError(400, "unsupported_parameter", "tools", "tools: only /v1/chat/completions calls functions");
}

}  // namespace tinyllm
