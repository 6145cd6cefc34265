// POST /v1/responses, stateless and text only. Source of the form: OpenAI API reference, "Responses" and its streaming
// events.
#include <tinyllm/runtime/serve/answer_reply.h>
#include <tinyllm/runtime/serve/service.h>
#include <tinyllm/runtime/serve/wire_messages.h>

namespace tinyllm {
namespace {

class ResponseReply final : public AnswerReply {
 public:
  using AnswerReply::AnswerReply;

 private:
  std::string stream_begin() override {
    const OrderedJson response = response_json("in_progress");
    std::string events = named("response.created", {{"response", response}});
    events += named("response.in_progress", {{"response", response}});
    return events;
  }

  std::string stream_part(const AnswerPart& part) override {
    std::string events;
    if (!part.reasoning.empty()) events += add_reasoning(part.reasoning);
    if (!part.answer.empty()) events += add_text(part.answer);
    return events;
  }

  std::string stream_end(const AnswerEnd&) override {
    std::string events;
    if (!has_message_) events += add_text("");
    Answer& answer = answers()[0];
    answer.text = text_;
    answer.reasoning = reasoning_;
    const int index = index_of_message();
    events += named("response.output_text.done",
                    {{"item_id", message_id_}, {"output_index", index}, {"content_index", 0}, {"text", text_}});
    events +=
        named("response.content_part.done",
              {{"item_id", message_id_}, {"output_index", index}, {"content_index", 0}, {"part", part_json(text_)}});
    events += named("response.output_item.done", {{"output_index", index}, {"item", message_json(text_)}});
    return events;
  }

  std::string stream_finish() override {
    const char* status = status_of(answers()[0].end);
    const char* name = status == std::string_view("completed") ? "response.completed" : "response.incomplete";
    return named(name, {{"response", response_json(status)}});
  }

  std::string whole() override { return text_of(response_json(status_of(answers()[0].end))); }

  static const char* status_of(const AnswerEnd& end) {
    return end.reason == AnswerEnd::Reason::stop ? "completed" : "incomplete";
  }

  // The parts of an answer, as they begin. The chain of thought is an item before the message.
  std::string add_reasoning(const std::string& text) {
    std::string events;
    if (reasoning_.empty()) {
      events += named("response.output_item.added", {{"output_index", 0}, {"item", reasoning_json("")}});
    }
    reasoning_ += text;
    return events + named("response.reasoning_text.delta",
                          {{"item_id", reasoning_id_}, {"output_index", 0}, {"content_index", 0}, {"delta", text}});
  }

  std::string add_text(const std::string& text) {
    std::string events;
    const int index = index_of_message();
    if (!has_message_) {
      has_message_ = true;
      if (!reasoning_.empty()) {
        events += named("response.reasoning_text.done",
                        {{"item_id", reasoning_id_}, {"output_index", 0}, {"content_index", 0}, {"text", reasoning_}});
        events += named("response.output_item.done", {{"output_index", 0}, {"item", reasoning_json(reasoning_)}});
      }
      OrderedJson item = message_json("");
      item["status"] = "in_progress";
      item["content"] = OrderedJson::array();
      events += named("response.output_item.added", {{"output_index", index}, {"item", item}});
      events +=
          named("response.content_part.added",
                {{"item_id", message_id_}, {"output_index", index}, {"content_index", 0}, {"part", part_json("")}});
    }
    text_ += text;
    if (text.empty()) return events;
    return events + named("response.output_text.delta", {{"item_id", message_id_},
                                                         {"output_index", index},
                                                         {"content_index", 0},
                                                         {"delta", text},
                                                         {"logprobs", OrderedJson::array()}});
  }
  int index_of_message() const { return reasoning_.empty() ? 0 : 1; }

  static OrderedJson part_json(const std::string& text) {
    return {{"type", "output_text"}, {"text", text}, {"annotations", OrderedJson::array()}};
  }
  OrderedJson message_json(const std::string& text) const {
    return {{"id", message_id_},
            {"type", "message"},
            {"status", "completed"},
            {"role", "assistant"},
            {"content", OrderedJson::array({part_json(text)})}};
  }
  OrderedJson reasoning_json(const std::string& text) const {
    const OrderedJson part = {{"type", "reasoning_text"}, {"text", text}};
    return {{"id", reasoning_id_},
            {"type", "reasoning"},
            {"summary", OrderedJson::array()},
            {"content", OrderedJson::array({part})}};
  }

  OrderedJson response_json(const std::string& status) {
    const Answer& answer = answers()[0];
    OrderedJson json = {{"id", id_},
                        {"object", "response"},
                        {"created_at", created()},
                        {"status", status},
                        {"error", nullptr},
                        {"incomplete_details", nullptr},
                        {"model", engine().name},
                        {"store", false},
                        {"output", OrderedJson::array()}};
    if (status == "in_progress") return json;
    if (status == "incomplete") {
      const bool is_filtered = answer.end.reason == AnswerEnd::Reason::content_filter;
      json["incomplete_details"] = {{"reason", is_filtered ? "content_filter" : "max_output_tokens"}};
    }
    if (!answer.reasoning.empty()) json["output"].push_back(reasoning_json(answer.reasoning));
    json["output"].push_back(message_json(answer.text));
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

  const std::string id_ = new_id("resp_"), message_id_ = new_id("msg_"), reasoning_id_ = new_id("rs_");
  std::string text_, reasoning_;  // Of a stream, so far.
  bool has_message_ = false;
  int number_ = 0;
};

// The items of an input: messages of type message, whose type may be missing.
Messages messages_of(const Fields& fields) {
  Messages messages;
  const std::string instructions = fields.text("instructions");
  if (!instructions.empty()) messages.push_back({Role::system, instructions});
  const Json& input = fields.need("input");
  if (input.is_string()) {
    messages.push_back({Role::user, input.get<std::string>()});
    return messages;
  }
  if (!input.is_array()) {
    throw ApiError(400, "invalid_type", "input", "input: is {}, expected a string or a list", type_of(input));
  }
  Json list = Json::array();
  for (const Json& item : input) {
    const std::string param = fmt::format("input[{}]", list.size());
    const Json* type = item.is_object() ? find_field(item, "type") : nullptr;
    if (type != nullptr && *type != "message") {
      throw ApiError(400, "invalid_value", param + ".type", "{}: of type {}, expected message", param, shown(*type));
    }
    Json message = item;
    const Json* content = item.is_object() ? find_field(item, "content") : nullptr;
    if (content != nullptr) {
      message["content"] = wire_text(*content, param + ".content", {"input_text", "output_text", "text"});
    }
    list.push_back(std::move(message));
  }
  for (Message& message : wire_messages(list, "input")) messages.push_back(std::move(message));
  return messages;
}

}  // namespace

void answer_response(Service& service, const std::shared_ptr<Call>& call) {
  const Fields fields(kResponses, call->request.body);
  const size_t model = service.model_of(fields.text("model"));
  const Engine& engine = service.engine(model);
  Ask ask = read_ask(fields, kResponses, engine);
  ask.job.model = model;
  ask.job.looks_for_reasoning = true;
  add_choices(ask.job, prompt_of(in_order(messages_of(fields), "input"), engine, "input"), 1, ask.seed);
  if (fields.whole("max_output_tokens") == 0) {
    throw ApiError(400, "invalid_value", "max_output_tokens", "max_output_tokens: 0, expected at least 1");
  }
  set_max_tokens(ask.job, fields.whole("max_output_tokens"), engine, "input");
  ask.job.listener = std::make_shared<ResponseReply>(call, ask, engine, 1);
  service.submit(call, std::move(ask.job));
}

}  // namespace tinyllm
