// POST /v1/responses, stateless and text only. Source of the form: OpenAI API reference, "Responses" and its streaming
// events.
#include <tinyllm/runtime/serve/answer_reply.h>
#include <tinyllm/runtime/serve/ordered_field.h>
#include <tinyllm/runtime/serve/requested_form.h>
#include <tinyllm/runtime/serve/service.h>
#include <tinyllm/runtime/serve/wire_items.h>

namespace tinyllm {
namespace {

OrderedJson part_json(const char* type, const std::string& text) {
  OrderedJson part = {{"type", type}, {"text", text}};
  if (type == std::string_view("output_text")) part["annotations"] = OrderedJson::array();
  return part;
}

// The items of an output: a chain of thought, text, and calls of functions.
OrderedJson reasoning_item(const std::string& id, const std::string& text) {
  return {{"id", id},
          {"type", "reasoning"},
          {"summary", OrderedJson::array()},
          {"content", OrderedJson::array({part_json("reasoning_text", text)})}};
}
OrderedJson message_item(const std::string& id, const std::string& text) {
  return {{"id", id},
          {"type", "message"},
          {"status", "completed"},
          {"role", "assistant"},
          {"content", OrderedJson::array({part_json("output_text", text)})}};
}
OrderedJson call_item(const std::string& id, const AnswerCall& call) {
  return {{"id", id},           {"type", "function_call"}, {"status", "completed"},
          {"call_id", call.id}, {"name", call.name},       {"arguments", call.arguments}};
}

class ResponseReply final : public AnswerReply {
 public:
  /// `settings` are fields of the request that every response repeats.
  ResponseReply(Service& service, std::shared_ptr<Call> call, const Ask& ask, const Engine& engine,
                OrderedJson settings)
      : AnswerReply(service, std::move(call), ask, engine, 1), settings_(std::move(settings)) {}

 private:
  // As with OpenAI, these events and the last one repeat the whole response, with its settings.
  std::string stream_begin() override {
    const OrderedJson response = response_json("in_progress");
    std::string events = named("response.created", {{"response", response}});
    events += named("response.in_progress", {{"response", response}});
    return events;
  }

  std::string stream_part(const AnswerPart& part, std::span<const AnswerCall> calls) override {
    std::string events;
    if (!part.reasoning.empty()) {
      events += open(Open::reasoning);
      events += named("response.reasoning_text.delta", in_part({{"delta", part.reasoning}}));
      text_ += part.reasoning;
    }
    if (!part.answer.empty()) {
      events += open(Open::message);
      events +=
          named("response.output_text.delta", in_part({{"delta", part.answer}, {"logprobs", OrderedJson::array()}}));
      text_ += part.answer;
    }
    for (const AnswerCall& call : calls) events += stream_call(call);
    return events;
  }

  std::string stream_call(const AnswerCall& call) {
    std::string events = close();
    id_of_item_ = new_id("fc_");
    OrderedJson item = call_item(id_of_item_, call);
    item["status"] = "in_progress";
    item["arguments"] = "";
    events += named("response.output_item.added", {{"output_index", items_.size()}, {"item", item}});
    const OrderedJson place = {{"item_id", id_of_item_}, {"output_index", items_.size()}};
    OrderedJson delta = place, done = place;
    delta["delta"] = done["arguments"] = call.arguments;
    events += named("response.function_call_arguments.delta", delta);
    events += named("response.function_call_arguments.done", done);
    return events + end_item(call_item(id_of_item_, call));
  }

  std::string stream_end(const AnswerEnd&) override {
    const bool says_nothing = answers()[0].text.empty() && answers()[0].calls.empty();
    std::string events = says_nothing ? open(Open::message) : "";
    return events + close();
  }

  std::string stream_finish() override {
    const char* status = status_of(answers()[0].end);
    const char* name = status == std::string_view("completed") ? "response.completed" : "response.incomplete";
    return named(name, {{"response", response_json(status)}});
  }

  std::string whole() override {
    const Answer& answer = answers()[0];
    if (!answer.reasoning.empty()) items_.push_back(reasoning_item(new_id("rs_"), answer.reasoning));
    const bool says_nothing = answer.text.empty() && !answer.calls.empty();
    if (!says_nothing) items_.push_back(message_item(new_id("msg_"), answer.text));
    for (const AnswerCall& call : answer.calls) items_.push_back(call_item(new_id("fc_"), call));
    return text_of(response_json(status_of(answer.end)));
  }

  static const char* status_of(const AnswerEnd& end) {
    return end.reason == AnswerEnd::Reason::stop ? "completed" : "incomplete";
  }

  // The item that is being sent, apart from calls, which are sent at once.
  enum class Open : uint8_t { none, reasoning, message };

  std::string open(Open kind) {
    if (open_ == kind) return {};
    std::string events = close();
    open_ = kind;
    const bool is_message = kind == Open::message;
    id_of_item_ = new_id(is_message ? "msg_" : "rs_");
    OrderedJson item = is_message ? message_item(id_of_item_, "") : reasoning_item(id_of_item_, "");
    item["content"] = OrderedJson::array();
    if (is_message) item["status"] = "in_progress";
    events += named("response.output_item.added", {{"output_index", items_.size()}, {"item", item}});
    return events + named("response.content_part.added", in_part({{"part", part_json(type_of_part(), "")}}));
  }

  std::string close() {
    if (open_ == Open::none) return {};
    const bool is_message = open_ == Open::message;
    std::string events =
        named(is_message ? "response.output_text.done" : "response.reasoning_text.done", in_part({{"text", text_}}));
    events += named("response.content_part.done", in_part({{"part", part_json(type_of_part(), text_)}}));
    events += end_item(is_message ? message_item(id_of_item_, text_) : reasoning_item(id_of_item_, text_));
    text_.clear();
    open_ = Open::none;
    return events;
  }

  std::string end_item(OrderedJson item) {
    std::string event = named("response.output_item.done", {{"output_index", items_.size()}, {"item", item}});
    items_.push_back(std::move(item));
    return event;
  }

  const char* type_of_part() const { return open_ == Open::message ? "output_text" : "reasoning_text"; }

  // Fields of an event of the only part of the open item.
  OrderedJson in_part(const OrderedJson& fields) const {
    OrderedJson json = {{"item_id", id_of_item_}, {"output_index", items_.size()}, {"content_index", 0}};
    for (const auto& [key, value] : fields.items()) json[key] = value;
    return json;
  }

  OrderedJson response_json(const std::string& status) {
    const Answer& answer = answers()[0];
    OrderedJson json = {
        {"id", id_},        {"object", "response"},          {"created_at", created()}, {"status", status},
        {"error", nullptr}, {"incomplete_details", nullptr}, {"model", engine().name},  {"store", false},
        {"output", items_}};
    for (const auto& [key, value] : settings_.items()) json[key] = value;
    if (status == "in_progress") return json;
    if (status == "incomplete") {
      const bool is_filtered = answer.end.reason == AnswerEnd::Reason::content_filter;
      json["incomplete_details"] = {{"reason", is_filtered ? "content_filter" : "max_output_tokens"}};
    }
    const Usage used = usage();
    json["usage"] = {{"input_tokens", used.prompt},
                     {"input_tokens_details", {{"cached_tokens", used.cached}}},
                     {"output_tokens", used.completion},
                     {"output_tokens_details", {{"reasoning_tokens", used.reasoning}}},
                     {"total_tokens", used.prompt + used.completion}};
    return json;
  }

  // An event has its name twice, and its number.
  std::string named(const char* name, const OrderedJson& fields) {
    OrderedJson json = {{"type", name}, {"sequence_number", number_++}};
    for (const auto& [key, value] : fields.items()) json[key] = value;
    return fmt::format("event: {}\n{}", name, event(text_of(json)));
  }

  const std::string id_ = new_id("resp_");
  const OrderedJson settings_;
  OrderedJson items_ = OrderedJson::array();  // Those that are whole.
  Open open_ = Open::none;
  std::string id_of_item_, text_;  // Of the last item.
  int number_ = 0;
};

Messages messages_of(const Fields& fields) {
  Messages messages = response_items(fields.need("input"), "input");
  const std::string instructions = fields.text("instructions");
  if (!instructions.empty()) messages.insert(messages.begin(), {Role::system, instructions});
  return in_order(std::move(messages), "input");
}

OrderedJson settings_of(const Fields& fields, std::string_view body) {
  OrderedJson settings = {{"parallel_tool_calls", fields.flag("parallel_tool_calls")}, {"tool_choice", "auto"}};
  settings["tools"] = OrderedJson::array();
  for (const char* name : {"tool_choice", "tools"}) {
    if (fields.find(name) != nullptr) settings[name] = ordered_field(body, name);
  }
  return settings;
}

}  // namespace

void answer_response(Service& service, const std::shared_ptr<Call>& call) {
  const Fields fields(kResponses, call->request.body);
  const size_t model = service.model_of(fields.text("model"));
  const Engine& engine = service.engine(model);
  const Messages messages = messages_of(fields);
  Ask ask = read_ask(fields, kResponses, engine);
  const RequestedForm form = read_form(fields, kResponses, call->request.body, engine);
  ask.calls = form.calls;
  ask.job.model = model;
  ask.job.looks_for_reasoning = true;
  add_choices(ask.job, prompt_of(messages, engine, "input", false, form.tools), 1, ask.seed);
  if (fields.whole("max_output_tokens") == 0) {
    throw ApiError(400, "invalid_value", "max_output_tokens", "max_output_tokens: 0, expected at least 1");
  }
  set_max_tokens(ask.job, fields.whole("max_output_tokens"), engine, "input");
  set_constraint(form, engine, ask.job);
  ask.job.listener =
      std::make_shared<ResponseReply>(service, call, ask, engine, settings_of(fields, call->request.body));
  service.submit(call, std::move(ask.job));
}

}  // namespace tinyllm
