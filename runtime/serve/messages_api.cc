// POST /v1/messages, stateless and text only. Source of the form: Anthropic API reference, "Messages" and "Streaming
// Messages".
#include <tinyllm/runtime/serve/answer_reply.h>
#include <tinyllm/runtime/serve/service.h>
#include <tinyllm/runtime/serve/wire_messages.h>

namespace tinyllm {
namespace {

std::string named_event(const char* name, const OrderedJson& json) {
  return fmt::format("event: {}\n{}", name, event(text_of(json)));
}

const char* stop_reason_of(const AnswerEnd& end) {
  if (end.reason == AnswerEnd::Reason::length) return "max_tokens";
  if (end.reason == AnswerEnd::Reason::content_filter) return "refusal";
  return end.stop_string.empty() ? "end_turn" : "stop_sequence";
}

OrderedJson stop_sequence_of(const AnswerEnd& end) {
  return end.stop_string.empty() ? OrderedJson() : OrderedJson(end.stop_string);
}

// The answer is made of blocks: the chain of thought is one of type thinking, the rest one of type text.
class MessagesReply final : public AnswerReply {
 public:
  using AnswerReply::AnswerReply;

 private:
  std::string stream_begin() override {
    OrderedJson message = message_json();
    message["content"] = OrderedJson::array();
    message["stop_reason"] = nullptr;
    message["stop_sequence"] = nullptr;
    message["usage"] = {{"input_tokens", std::ssize(ask().job.choices[0].prompt)}, {"output_tokens", 0}};
    return named_event("message_start", {{"type", "message_start"}, {"message", message}});
  }

  std::string stream_part(const AnswerPart& part) override {
    std::string events;
    if (!part.reasoning.empty()) events += delta("thinking", "thinking_delta", part.reasoning);
    if (!part.answer.empty()) events += delta("text", "text_delta", part.answer);
    return events;
  }

  std::string stream_end(const AnswerEnd& end) override {
    std::string events;
    if (block_.empty()) events += begin_block("text");
    events += end_block();
    return events +
           named_event("message_delta",
                       {{"type", "message_delta"},
                        {"delta", {{"stop_reason", stop_reason_of(end)}, {"stop_sequence", stop_sequence_of(end)}}},
                        {"usage", {{"output_tokens", end.completion_tokens}}}});
  }

  std::string stream_finish() override { return named_event("message_stop", {{"type", "message_stop"}}); }

  std::string whole() override {
    const Answer& answer = answers()[0];
    OrderedJson message = message_json();
    message["content"] = OrderedJson::array();
    if (!answer.reasoning.empty()) {
      message["content"].push_back({{"type", "thinking"}, {"thinking", answer.reasoning}, {"signature", ""}});
    }
    message["content"].push_back({{"type", "text"}, {"text", answer.text}});
    message["stop_reason"] = stop_reason_of(answer.end);
    message["stop_sequence"] = stop_sequence_of(answer.end);
    message["usage"] = {{"input_tokens", answer.end.prompt_tokens},
                        {"cache_read_input_tokens", answer.end.cached_tokens},
                        {"output_tokens", answer.end.completion_tokens}};
    return text_of(message);
  }

  OrderedJson message_json() const {
    return {{"id", id_}, {"type", "message"}, {"role", "assistant"}, {"model", engine().name}};
  }

  std::string begin_block(const char* type) {
    block_ = type;
    OrderedJson block = {{"type", type}, {type, ""}};
    return named_event("content_block_start",
                       {{"type", "content_block_start"}, {"index", index_}, {"content_block", block}});
  }
  std::string end_block() {
    return named_event("content_block_stop", {{"type", "content_block_stop"}, {"index", index_++}});
  }

  std::string delta(const char* block, const char* type, const std::string& text) {
    std::string events;
    if (block_ != block) {
      if (!block_.empty()) events += end_block();
      events += begin_block(block);
    }
    OrderedJson delta = {{"type", type}, {block, text}};
    return events +
           named_event("content_block_delta", {{"type", "content_block_delta"}, {"index", index_}, {"delta", delta}});
  }

  const std::string id_ = new_id("msg_");
  std::string_view block_;  // The type of the block that is being sent; empty: none.
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
  for (Message& message : wire_messages(fields.need("messages"), "messages")) messages.push_back(std::move(message));
  Ask ask = read_ask(fields, kMessages, engine);
  ask.job.model = model;
  ask.job.looks_for_reasoning = true;
  add_choices(ask.job, prompt_of(in_order(std::move(messages), "messages"), engine, "messages"), 1, ask.seed);
  set_max_tokens(ask.job, fields.whole("max_tokens"), engine, "messages");
  ask.job.listener = std::make_shared<MessagesReply>(call, ask, engine, 1);
  service.submit(call, std::move(ask.job));
}

}  // namespace tinyllm
