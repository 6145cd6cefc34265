#include <tinyllm/runtime/serve/wire_tools.h>

#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/ordered_field.h>

namespace tinyllm {
namespace {

constexpr size_t kMaxTools = 128;

// Chat completions:  {"type": "function", "function": {"name", "description", "parameters"}}
// Responses:         {"type": "function", "name", "description", "parameters"}
// Messages:          {"name", "description", "input_schema"}, of type "custom" or without a type
struct Offered {
  OrderedJson function;
  std::string param;  // Of the function.
  const char* schema;
};

Offered offered_function(const OrderedJson& one, Endpoint endpoint, const std::string& param) {
  if (endpoint == kMessages) {
    if (!one.is_object()) refuse_value(param, "expected an object");
    if (one.contains("type") && one["type"] != "custom") refuse_value(param + ".type", "expected custom");
    return {one, param, "input_schema"};
  }
  if (need_text(one, "type", param) != "function") refuse_value(param + ".type", "expected function");
  if (endpoint == kResponses) return {one, param, "parameters"};
  return {need_object(one, "function", param), param + ".function", "parameters"};
}

OrderedJson parameters_of(const Offered& offered) {
  const auto found = offered.function.find(offered.schema);
  if (found != offered.function.end() && !found->is_null()) return *found;
  return {{"type", "object"}, {"additionalProperties", false}};
}

// Without "strict": true, a schema is a hint as well as a form: what of it is not supported is left out.
bool is_strict(const OrderedJson& function, const std::string& param) {
  const auto found = function.find("strict");
  if (found == function.end() || found->is_null()) return false;
  if (!found->is_boolean()) refuse_value(param + ".strict", "expected true or false");
  return found->get<bool>();
}

// As a chat template expects it.
OrderedJson shown_function(const Offered& offered) {
  OrderedJson function = {{"name", offered.function["name"]}};
  if (offered.function.contains("description")) function["description"] = offered.function["description"];
  function["parameters"] = parameters_of(offered);
  return {{"type", "function"}, {"function", std::move(function)}};
}

void read_offered(const OrderedJson& list, Endpoint endpoint, WireTools& tools) {
  if (list.size() > kMaxTools) {
    refuse_value("tools", fmt::format("{} tools, expected at most {}", list.size(), kMaxTools));
  }
  OrderedJson shown = OrderedJson::array();
  for (const OrderedJson& one : list) {
    const Offered offered = offered_function(one, endpoint, fmt::format("tools[{}]", tools.callable.size()));
    const bool must_fit = is_strict(offered.function, offered.param);
    OrderedJson parameters = parameters_of(offered);
    if (!must_fit && parameters.is_object() && !parameters.contains("type")) parameters["type"] = "object";
    tools.callable.push_back({need_text(offered.function, "name", offered.param), parameters.dump(), must_fit});
    shown.push_back(endpoint == kChat ? one : shown_function(offered));
  }
  tools.shown = shown.dump();
}

// A choice in words: "none", "auto" or "required", or {"name": the one function}.
struct Choice {
  std::string word = "auto";
  std::string name = {};
};

[[noreturn]] void refuse_choice(Endpoint endpoint) {
  refuse_value("tool_choice",
               endpoint == kMessages ? R"(expected a type: none, auto, any, or tool with a name)"
               : endpoint == kChat
                   ? R"(expected none, auto, required or {"type": "function", "function": {"name": ...}})"
                   : R"(expected none, auto, required or {"type": "function", "name": ...})");
}

std::string text_of_field(const Json& object, const char* name) {
  const Json* value = object.is_object() ? find_field(object, name) : nullptr;
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

Choice read_choice(const Json* choice, Endpoint endpoint) {
  if (choice == nullptr) return {};
  if (endpoint == kMessages) {
    const std::string type = text_of_field(*choice, "type"), name = text_of_field(*choice, "name");
    if (type == "none" || type == "auto") return {type};
    if (type == "any") return {"required"};
    if (type == "tool" && !name.empty()) return {"", name};
    refuse_choice(endpoint);
  }
  if (*choice == "none" || *choice == "auto" || *choice == "required") return {choice->get<std::string>()};
  const Json* function = endpoint == kChat && choice->is_object() ? find_field(*choice, "function") : choice;
  const std::string name = function == nullptr ? "" : text_of_field(*function, "name");
  if (text_of_field(*choice, "type") != "function" || name.empty()) refuse_choice(endpoint);
  return {"", name};
}

bool may_call_several(const Fields& fields, Endpoint endpoint) {
  if (endpoint != kMessages) return fields.flag("parallel_tool_calls");
  const Json* choice = fields.find("tool_choice");
  const Json* disabled = choice == nullptr ? nullptr : find_field(*choice, "disable_parallel_tool_use");
  return disabled == nullptr || *disabled != true;
}

}  // namespace

WireTools read_tools(const Fields& fields, Endpoint endpoint, std::string_view body) {
  const Json* given = fields.find("tools");
  const Choice choice = read_choice(fields.find("tool_choice"), endpoint);
  WireTools tools;
  const bool has_tools = given != nullptr && !given->empty();
  if (!has_tools && choice.word != "none" && choice.word != "auto") refuse_value("tool_choice", "needs tools");
  if (!has_tools || choice.word == "none") return tools;
  read_offered(ordered_field(body, "tools"), endpoint, tools);
  tools.must_call = choice.word != "auto";
  tools.several = choice.name.empty() && may_call_several(fields, endpoint);
  if (!choice.name.empty()) {
    std::erase_if(tools.callable, [&](const Tool& tool) { return tool.name != choice.name; });
    if (tools.callable.empty()) {
      refuse_value("tool_choice", fmt::format("no function is called {}", shortened(choice.name)));
    }
  }
  return tools;
}

}  // namespace tinyllm
