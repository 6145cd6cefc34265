// POST /v1/messages, stateless and text only. Source of the form: Anthropic API reference, "Messages" and "Streaming
// Messages".
#include <tinyllm/runtime/serve/answer_reply.h>
#include <tinyllm/runtime/serve/requested_form.h>
#include <tinyllm/runtime/serve/service.h>
#include <tinyllm/runtime/serve/wire_items.h>

namespace tinyllm {
namespace {

std::string named_event(const char* name, const OrderedJson& json) {
  return fmt::format("event: {}\n{}", name, event(text_of(json)));
}

const char* stop_reason_of(const AnswerEnd& end, bool calls) {
  if (end.reason == AnswerEnd::Reason::content_filter) return "refusal";
  if (calls) return "tool_use";
  if (end.reason == AnswerEnd::Reason::length) return "max_tokens";
  return end.stop_string.empty() ? "end_turn" : "stop_sequence";
}

OrderedJson stop_sequence_of(const AnswerEnd& end) {
  return end.stop_string.empty() ? OrderedJson() : OrderedJson(end.stop_string);
}

// The blocks of an answer: the chain of thought, text, and calls of tools.
OrderedJson thinking_block(const std::string& text) {
  return {{"type", "thinking"}, {"thinking", text}, {"signature", ""}};
}
OrderedJson text_block(const std::string& text) { return {{"type", "text"}, {"text", text}}; }
OrderedJson call_block(const AnswerCall& call, OrderedJson input) {
  return {{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", std::move(input)}};
}

class MessagesReply final : public AnswerReply {
 public:
  MessagesReply(Service& service, std::shared_ptr<Call> call, const Ask& ask, const Engine& engine)
      : AnswerReply(service, std::move(call), ask, engine, 1), prompt_tokens_(std::ssize(*ask.job.choices[0].prompt)) {}

 private:
  std::string stream_begin() override {
    OrderedJson message = message_json();
    message["content"] = OrderedJson::array();
    message["stop_reason"] = nullptr;
    message["stop_sequence"] = nullptr;
    message["usage"] = {{"input_tokens", prompt_tokens_}, {"output_tokens", 0}};
    return named_event("message_start", {{"type", "message_start"}, {"message", message}});
  }

  std::string stream_part(const AnswerPart& part, std::span<const AnswerCall> calls) override {
    std::string events;
    if (!part.reasoning.empty()) {
      events += open(thinking_block("")) + delta({{"type", "thinking_delta"}, {"thinking", part.reasoning}});
    }
    if (!part.answer.empty()) {
      events += open(text_block("")) + delta({{"type", "text_delta"}, {"text", part.answer}});
    }
    for (const AnswerCall& call : calls) {
      events += open(call_block(call, OrderedJson::object()));
      events += delta({{"type", "input_json_delta"}, {"partial_json", call.arguments}});
    }
    return events;
  }

  std::string stream_end(const AnswerEnd& end) override {
    const bool calls = !answers()[0].calls.empty();
    std::string events = answers()[0].text.empty() && !calls ? open(text_block("")) : "";
    events += close();
    return events +
           named_event(
               "message_delta",
               {{"type", "message_delta"},
                {"delta", {{"stop_reason", stop_reason_of(end, calls)}, {"stop_sequence", stop_sequence_of(end)}}},
                {"usage", {{"output_tokens", end.completion_tokens}}}});
  }

  std::string stream_finish() override { return named_event("message_stop", {{"type", "message_stop"}}); }

  std::string whole() override {
    const Answer& answer = answers()[0];
    OrderedJson message = message_json();
    OrderedJson blocks = OrderedJson::array();
    if (!answer.reasoning.empty()) blocks.push_back(thinking_block(answer.reasoning));
    if (!answer.text.empty() || answer.calls.empty()) blocks.push_back(text_block(answer.text));
    for (const AnswerCall& call : answer.calls) {
      blocks.push_back(call_block(call, OrderedJson::parse(call.arguments)));
    }
    message["content"] = std::move(blocks);
    message["stop_reason"] = stop_reason_of(answer.end, !answer.calls.empty());
    message["stop_sequence"] = stop_sequence_of(answer.end);
    message["usage"] = {{"input_tokens", answer.end.prompt_tokens},
                        {"cache_read_input_tokens", answer.end.cached_tokens},
                        {"output_tokens", answer.end.completion_tokens}};
    return text_of(message);
  }

  OrderedJson message_json() const {
    return {{"id", id_}, {"type", "message"}, {"role", "assistant"}, {"model", engine().name}};
  }

  // Begins a block, unless one of its type is open. Every call has a block of its own.
  std::string open(OrderedJson block) {
    if (open_ == block["type"] && open_ != "tool_use") return {};
    std::string events = close();
    open_ = block["type"];
    return events +
           named_event("content_block_start",
                       {{"type", "content_block_start"}, {"index", index_}, {"content_block", std::move(block)}});
  }

  std::string close() {
    if (open_.empty()) return {};
    open_.clear();
    return named_event("content_block_stop", {{"type", "content_block_stop"}, {"index", index_++}});
  }

  std::string delta(OrderedJson delta) const {
    return named_event("content_block_delta",
                       {{"type", "content_block_delta"}, {"index", index_}, {"delta", std::move(delta)}});
  }

  const std::string id_ = new_id("msg_");
  const int64_t prompt_tokens_;
  std::string open_;  // The type of the block that is being sent; empty: none.
  int index_ = 0;
};

}  // namespace

void answer_messages(Service& service, const std::shared_ptr<Call>& call) {
  const Fields fields(kMessages, call->request.body);
  const size_t model = service.model_of(fields.text("model"));
  const Engine& engine = service.engine(model);
  Messages messages;
  if (const Json* system = fields.find("system")) {
    messages.push_back({Role::system, wire_text(*system, "system", {"text"})});
  }
  for (Message& message : block_messages(fields.need("messages"), "messages")) messages.push_back(std::move(message));
  Ask ask = read_ask(fields, kMessages, engine);
  // An answer that was begun.
  const bool continues =
      !messages.empty() && messages.back().role == Role::assistant && messages.back().tool_calls.empty();
  const RequestedForm form = read_form(fields, kMessages, call->request.body, engine);
  ask.calls = form.calls;
  ask.job.model = model;
  ask.job.looks_for_reasoning = true;
  if (continues && form.form) {
    throw ApiError(400, "invalid_value", "messages", "messages: an answer that was begun does not go together with {}",
                   form.calls ? "tools" : "a format");
  }
  messages = in_order(std::move(messages), "messages", continues);
  add_choices(ask.job, prompt_of(std::move(messages), engine, "messages", continues, form.tools), 1, ask.seed);
  set_max_tokens(ask.job, fields.whole("max_tokens"), engine, "messages");
  set_constraint(form, engine, ask.job);
  ask.job.listener = std::make_shared<MessagesReply>(service, call, ask, engine);
  service.submit(call, std::move(ask.job));
}

}  // namespace tinyllm
