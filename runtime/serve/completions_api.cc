// POST /v1/completions. Source of the form: OpenAI API reference, "Completions".
#include <tinyllm/runtime/serve/answer_reply.h>
#include <tinyllm/runtime/serve/log_probs_json.h>
#include <tinyllm/runtime/serve/prompts.h>
#include <tinyllm/runtime/serve/service.h>
#include <tinyllm/tensor/base/utf8.h>

namespace tinyllm {
namespace {

class CompletionReply final : public AnswerReply {
 public:
  CompletionReply(std::shared_ptr<Call> call, const Ask& ask, const Engine& engine, int64_t n,
                  std::vector<TextPrompt> prompts, bool echoes)
      : AnswerReply(std::move(call), ask, engine, n),
        prompts_(std::move(prompts)),
        choices_per_prompt_(static_cast<size_t>(n)),
        echoes_(echoes),
        sent_(answers().size()) {
    for (size_t i = 0; i < sent_.size(); ++i) sent_[i] = count_of_characters(echo(i));
  }

 private:
  const TextPrompt& prompt(size_t choice) const { return prompts_[choice / choices_per_prompt_]; }
  std::string echo(size_t choice) const { return echoes_ ? prompt(choice).text : ""; }

  std::string stream_begin() override {
    std::string events;
    for (size_t i = 0; echoes_ && ask().log_probs < 0 && i < answers().size(); ++i) {
      events += chunk(i, echo(i), nullptr, nullptr);
    }
    return events;
  }

  std::string stream_part(const AnswerPart& part, std::span<const AnswerCall>) override {
    return chunk(part.choice, part.answer, answer_log_probs(part.choice, part.tokens), nullptr);
  }

  std::string stream_end(const AnswerEnd& end) override {
    std::string events;
    // Log-probabilities of the prompt are known at the end only.
    if (echoes_ && ask().log_probs >= 0) events = chunk(end.choice, echo(end.choice), prompt_log_probs(end), nullptr);
    return events + chunk(end.choice, "", nullptr, finish_reason(end.reason), &end);
  }

  std::string stream_finish() override {
    std::string events;
    if (ask().wants_usage) {
      OrderedJson json = head();
      json["choices"] = OrderedJson::array();
      json["usage"] = usage_json(usage());
      events += event(text_of(json));
    }
    return events + event("[DONE]");
  }

  std::string whole() override {
    OrderedJson json = head();
    json["choices"] = OrderedJson::array();
    for (const Answer& answer : answers()) {
      CompletionLogProbs log_probs(*engine().model.tokenizer);
      if (echoes_) add_prompt(answer.end, log_probs);
      add_answer(answer.end.choice, answer.tokens, log_probs);
      json["choices"].push_back({{"index", answer.end.choice},
                                 {"text", echo(answer.end.choice) + answer.text},
                                 {"logprobs", ask().log_probs < 0 ? OrderedJson() : log_probs.json()},
                                 {"finish_reason", finish_reason(answer.end.reason)},
                                 {"stop_reason", stop_reason(answer.end)}});
    }
    json["usage"] = usage_json(usage());
    return text_of(json);
  }

  OrderedJson answer_log_probs(size_t choice, const std::vector<AnswerToken>& tokens) {
    if (ask().log_probs < 0) return nullptr;
    CompletionLogProbs log_probs(*engine().model.tokenizer);
    add_answer(choice, tokens, log_probs);
    return log_probs.json();
  }

  // The next tokens of an answer.
  void add_answer(size_t choice, const std::vector<AnswerToken>& tokens, CompletionLogProbs& log_probs) {
    int64_t& sent = sent_[choice];
    for (const AnswerToken& token : tokens) {
      log_probs.add(token_text(*engine().model.tokenizer, token.token), sent, &token.log_probs);
      sent += count_of_characters(token.bytes);
    }
  }

  OrderedJson prompt_log_probs(const AnswerEnd& end) const {
    CompletionLogProbs log_probs(*engine().model.tokenizer);
    add_prompt(end, log_probs);
    return log_probs.json();
  }

  void add_prompt(const AnswerEnd& end, CompletionLogProbs& log_probs) const {
    const Tokenizer& tokenizer = *engine().model.tokenizer;
    int64_t offset = 0;
    const std::vector<int32_t>& tokens = prompt(end.choice).tokens;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const bool is_known = i > 0 && i <= end.prompt_log_probs.size();
      log_probs.add(token_text(tokenizer, tokens[i]), offset, is_known ? &end.prompt_log_probs[i - 1] : nullptr);
      offset += count_of_characters(tokenizer.decode({&tokens[i], 1}));
    }
  }

  OrderedJson head() const {
    return {{"id", id_},
            {"object", "text_completion"},
            {"created", created()},
            {"model", engine().name},
            {"system_fingerprint", engine().fingerprint}};
  }

  std::string chunk(size_t index, const std::string& text, OrderedJson log_probs, OrderedJson reason,
                    const AnswerEnd* end = nullptr) const {
    OrderedJson json = head();
    OrderedJson choice = {
        {"index", index}, {"text", text}, {"logprobs", std::move(log_probs)}, {"finish_reason", reason}};
    if (end != nullptr) choice["stop_reason"] = stop_reason(*end);
    json["choices"] = OrderedJson::array({std::move(choice)});
    if (ask().wants_usage) json["usage"] = nullptr;
    return event(text_of(json));
  }

  const std::string id_ = new_id("cmpl-");
  const std::vector<TextPrompt> prompts_;
  const size_t choices_per_prompt_;
  const bool echoes_;
  std::vector<int64_t> sent_;  // Characters before the next token, for each choice.
};

}  // namespace

void answer_completion(Service& service, const std::shared_ptr<Call>& call) {
  const Fields fields(kCompletions, call->request.body);
  const size_t model = service.model_of(fields.text("model"));
  const Engine& engine = service.engine(model);
  std::vector<TextPrompt> prompts = read_prompts(fields.need("prompt"), "prompt", engine);
  Ask ask = read_ask(fields, kCompletions, engine);
  const bool echoes = fields.flag("echo");
  const int64_t n = fields.whole("n");
  if (fields.find("best_of") != nullptr && fields.whole("best_of") != n) {
    throw ApiError(400, "unsupported_parameter", "best_of",
                   "best_of: {}, expected n, which is {}: answers are not ranked", fields.whole("best_of"), n);
  }
  if (fields.find("logprobs") != nullptr) ask.log_probs = fields.whole("logprobs");
  ask.job.model = model;
  ask.job.wants_tokens = ask.log_probs >= 0;
  ask.job.options.top_log_probs = ask.log_probs;
  if (echoes) ask.job.options.prompt_log_probs = ask.log_probs;
  for (const TextPrompt& prompt : prompts) add_choices(ask.job, {prompt.tokens, 0, ""}, n, ask.seed);
  const int64_t most = fields.whole("max_tokens");
  if (most == 0 && !echoes) {
    throw ApiError(400, "invalid_value", "max_tokens", "max_tokens: 0, expected at least 1, or echo to be true");
  }
  set_max_tokens(ask.job, most, engine, "prompt", most == 0);
  ask.job.listener = std::make_shared<CompletionReply>(call, ask, engine, n, std::move(prompts), echoes);
  service.submit(call, std::move(ask.job));
}

}  // namespace tinyllm
