// POST /v1/chat/completions. Source of the form: OpenAI API reference, "Chat Completions".
#include <tinyllm/runtime/serve/answer_reply.h>
#include <tinyllm/runtime/serve/log_probs_json.h>
#include <tinyllm/runtime/serve/reasoning_fields.h>
#include <tinyllm/runtime/serve/requested_form.h>
#include <tinyllm/runtime/serve/service.h>
#include <tinyllm/runtime/serve/wire_messages.h>

namespace tinyllm {
namespace {

class ChatReply final : public AnswerReply {
 public:
  using AnswerReply::AnswerReply;

 private:
  std::string stream_begin() override {
    std::string events;
    for (size_t i = 0; i < answers().size(); ++i) {
      events += chunk(i, {{"role", "assistant"}, {"content", ""}}, "null", nullptr);
    }
    return events;
  }

  std::string stream_part(const AnswerPart& part, std::span<const AnswerCall> calls) override {
    std::string events;
    OrderedJson delta = OrderedJson::object();
    if (!part.reasoning.empty()) delta["reasoning_content"] = part.reasoning;
    if (!part.answer.empty()) delta["content"] = part.answer;
    if (delta.empty() && calls.empty()) delta["content"] = "";
    std::string tokens = log_probs(part.tokens);
    if (!delta.empty()) events += chunk(part.choice, std::move(delta), std::exchange(tokens, "null"), nullptr);
    for (const AnswerCall& call : calls) {
      OrderedJson json = tool_call(call);
      json["index"] = call.index;
      events += chunk(part.choice, {{"tool_calls", OrderedJson::array({std::move(json)})}},
                      std::exchange(tokens, "null"), nullptr);
    }
    return events;
  }

  std::string stream_end(const AnswerEnd& end) override {
    return chunk(end.choice, OrderedJson::object(), "null", reason_of(answers()[end.choice]), &end);
  }

  std::string stream_finish() override {
    std::string events;
    if (ask().wants_usage) {
      OrderedJson json = head("chat.completion.chunk");
      json["choices"] = OrderedJson::array();
      json["usage"] = usage_json(usage());
      events += event(text_of(json));
    }
    return events + event("[DONE]");
  }

  std::string whole() override {
    std::string choices;
    for (const Answer& answer : answers()) {
      OrderedJson message = {{"role", "assistant"}, {"content", answer.text}, {"refusal", nullptr}};
      if (!answer.calls.empty()) {
        if (answer.text.empty()) message["content"] = nullptr;
        message["tool_calls"] = OrderedJson::array();
        for (const AnswerCall& call : answer.calls) message["tool_calls"].push_back(tool_call(call));
      }
      if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
      choices += choices.empty() ? "[" : ",";
      choices += joined_objects(
          {text_of(OrderedJson{{"index", answer.end.choice}, {"message", std::move(message)}}),
           field_text("logprobs", log_probs(answer.tokens)),
           text_of(OrderedJson{{"finish_reason", reason_of(answer)}, {"stop_reason", stop_reason(answer.end)}})});
    }
    return with_verdict(joined_objects({text_of(head("chat.completion")), field_text("choices", choices += "]"),
                                        text_of(OrderedJson{{"usage", usage_json(usage())}})}),
                        answers()[0].end);
  }

  OrderedJson head(const char* object) const {
    return {{"id", id_},
            {"object", object},
            {"created", created()},
            {"model", engine().name},
            {"system_fingerprint", engine().fingerprint}};
  }

  std::string chunk(size_t index, OrderedJson delta, const std::string& log_probs, OrderedJson reason,
                    const AnswerEnd* end = nullptr) const {
    OrderedJson rest = {{"finish_reason", std::move(reason)}};
    if (end != nullptr) rest["stop_reason"] = stop_reason(*end);
    const std::string choice = joined_objects({text_of(OrderedJson{{"index", index}, {"delta", std::move(delta)}}),
                                               field_text("logprobs", log_probs), text_of(rest)});
    const std::string text = chunk_text(head("chat.completion.chunk"), choice);
    return event(end != nullptr ? with_verdict(text, *end) : text);
  }

  static std::string with_verdict(const std::string& object, const AnswerEnd& end) {
    return end.verdict.empty() ? object : joined_objects({object, field_text("self_consistency", end.verdict)});
  }

  static OrderedJson tool_call(const AnswerCall& call) {
    return {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
  }

  static const char* reason_of(const Answer& answer) {
    const bool is_call = !answer.calls.empty() && answer.end.reason != AnswerEnd::Reason::content_filter;
    return is_call ? "tool_calls" : finish_reason(answer.end.reason);
  }

  std::string log_probs(const std::vector<AnswerToken>& tokens) const {
    if (ask().log_probs < 0) return "null";
    return chat_log_probs(*engine().model.tokenizer, tokens);
  }

  const std::string id_ = new_id("chatcmpl-");
};

}  // namespace

void answer_chat(Service& service, const std::shared_ptr<Call>& call) {
  const Fields fields(kChat, call->request.body);
  const size_t model = service.model_of(fields.text("model"));
  const Engine& engine = service.engine(model);
  const bool continues = fields.flag("continue_final_message");
  const Messages messages = wire_messages(fields.need("messages"), "messages", continues);
  Ask ask = read_ask(fields, kChat, engine);
  const RequestedForm form = read_form(fields, kChat, call->request.body, engine);
  ask.calls = form.calls;
  if (fields.find("top_logprobs") != nullptr && !fields.flag("logprobs")) {
    throw ApiError(400, "invalid_value", "top_logprobs", "top_logprobs: needs logprobs to be true");
  }
  if (fields.flag("logprobs")) ask.log_probs = fields.whole("top_logprobs");
  read_vote(fields, ask);
  const int64_t n = ask.job.vote ? ask.job.vote->poll.chains : fields.whole("n");
  ask.job.model = model;
  ask.job.looks_for_reasoning = true;
  ask.job.wants_tokens = ask.log_probs >= 0;
  ask.job.options.top_log_probs = ask.log_probs;
  add_choices(ask.job, prompt_of(messages, engine, "messages", continues, form.tools), n, ask.seed);
  const bool has_newer = fields.find("max_completion_tokens") != nullptr;
  const char* most = has_newer ? "max_completion_tokens" : "max_tokens";
  if (fields.whole(most) == 0) throw ApiError(400, "invalid_value", most, "{}: 0, expected at least 1", most);
  set_max_tokens(ask.job, fields.whole(most), engine, "messages");
  check_amount(ask.job);
  set_constraint(form, engine, ask.job);
  if (fields.flag("calculator")) set_calculator(engine, ask.job);
  // Ties between chains go by their log-probabilities.
  if (ask.job.vote) ask.job.options.top_log_probs = 0;
  ask.job.listener = std::make_shared<ChatReply>(service, call, ask, engine, ask.job.vote ? 1 : n);
  service.submit(call, std::move(ask.job));
}

}  // namespace tinyllm
