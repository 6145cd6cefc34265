// POST /v1/completions. Source of the form: OpenAI API reference, "Completions".
#include <tinyllm/runtime/serve/answer_reply.h>
#include <tinyllm/runtime/serve/log_probs_json.h>
#include <tinyllm/runtime/serve/prompts.h>
#include <tinyllm/runtime/serve/service.h>
#include <tinyllm/runtime/text_stream.h>
#include <tinyllm/tensor/base/utf8.h>

namespace tinyllm {
namespace {

class CompletionReply final : public AnswerReply {
 public:
  /// `prompts` are those to be echoed; empty: none is.
  CompletionReply(Service& service, std::shared_ptr<Call> call, const Ask& ask, const Engine& engine, int64_t n,
                  std::vector<TextPrompt> prompts)
      : AnswerReply(service, std::move(call), ask, engine, n),
        prompts_(std::move(prompts)),
        choices_per_prompt_(static_cast<size_t>(n)),
        places_(answers().size()) {
    for (size_t i = 0; i < places_.size(); ++i) places_[i].characters = count_of_characters(echo(i));
  }

 private:
  // Up to where the text of an answer was counted, in bytes, and the characters before it, with those of the echo.
  struct Place {
    size_t bytes = 0;
    int64_t characters = 0;
  };

  bool echoes() const { return !prompts_.empty(); }
  bool lists() const { return ask().log_probs >= 0; }
  const TextPrompt& prompt(size_t choice) const { return prompts_[choice / choices_per_prompt_]; }
  std::string echo(size_t choice) const { return echoes() ? prompt(choice).text : ""; }

  std::string stream_begin() override {
    std::string events;
    for (size_t i = 0; echoes() && !lists() && i < answers().size(); ++i) events += chunk(i, echo(i), "null", nullptr);
    return events;
  }

  // With log-probabilities, those of the prompt come with the first part, and the prompt itself with them.
  std::string stream_part(const AnswerPart& part, std::span<const AnswerCall>) override {
    if (!lists()) return part.answer.empty() ? "" : chunk(part.choice, part.answer, "null", nullptr);
    std::string events;
    if (echoes() && part.prompt_log_probs) {
      CompletionLogProbs log_probs(*engine().model.tokenizer);
      add_prompt(part.choice, log_probs);
      events = chunk(part.choice, echo(part.choice), log_probs.text(), nullptr);
    }
    if (part.answer.empty() && part.tokens.empty()) return events;
    CompletionLogProbs log_probs(*engine().model.tokenizer);
    add_answer(part.choice, part.tokens, log_probs);
    return events + chunk(part.choice, part.answer, log_probs.text(), nullptr);
  }

  std::string stream_end(const AnswerEnd& end) override {
    CompletionLogProbs log_probs(*engine().model.tokenizer);
    const bool has_end = add_end(end, log_probs);
    return chunk(end.choice, "", has_end ? log_probs.text() : "null", finish_reason(end.reason), &end);
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
    std::string choices;
    for (const Answer& answer : answers()) {
      const size_t index = answer.end.choice;
      CompletionLogProbs log_probs(*engine().model.tokenizer);
      if (lists()) {
        if (echoes()) add_prompt(index, log_probs);
        add_answer(index, answer.tokens, log_probs);
        add_end(answer.end, log_probs);
      }
      choices += choices.empty() ? "[" : ",";
      choices += joined_objects({text_of(OrderedJson{{"index", index}, {"text", echo(index) + answer.text}}),
                                 field_text("logprobs", lists() ? log_probs.text() : "null"),
                                 text_of(OrderedJson{{"finish_reason", finish_reason(answer.end.reason)},
                                                     {"stop_reason", stop_reason(answer.end)}})});
    }
    return joined_objects(
        {text_of(head()), field_text("choices", choices += "]"), text_of(OrderedJson{{"usage", usage_json(usage())}})});
  }

  // Counts the text of an answer up to so many bytes of it.
  int64_t characters_before(size_t choice, size_t bytes) {
    Place& place = places_[choice];
    const std::string_view text = answers()[choice].text;
    bytes = std::min(bytes, text.size());
    if (bytes > place.bytes) {
      place.characters += count_of_characters(text.substr(place.bytes, bytes - place.bytes));
      place.bytes = bytes;
    }
    return place.characters;
  }

  // The next tokens of an answer.
  void add_answer(size_t choice, const std::vector<AnswerToken>& tokens, CompletionLogProbs& log_probs) {
    for (const AnswerToken& token : tokens) {
      log_probs.add(token.token, characters_before(choice, token.offset), &token.log_probs);
    }
  }

  // The token that ended it. Returns whether there is one.
  bool add_end(const AnswerEnd& end, CompletionLogProbs& log_probs) {
    if (!lists() || !end.end_log_probs) return false;
    log_probs.add_end(end.end_token, characters_before(end.choice, std::string::npos), *end.end_log_probs);
    return true;
  }

  void add_prompt(size_t choice, CompletionLogProbs& log_probs) const {
    const std::vector<int32_t>& tokens = *prompt(choice).tokens;
    const auto& known = answers()[choice].prompt_log_probs;
    TextStream text(*engine().model.tokenizer);
    int64_t offset = 0;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const bool is_known = known && i > 0 && i <= known->size();
      const int64_t begin = offset + count_of_characters(text.broken_before(tokens[i]));
      log_probs.add(tokens[i], begin, is_known ? &(*known)[i - 1] : nullptr);
      offset += count_of_characters(text.add(tokens[i]));
    }
  }

  OrderedJson head() const {
    return {{"id", id_},
            {"object", "text_completion"},
            {"created", created()},
            {"model", engine().name},
            {"system_fingerprint", engine().fingerprint}};
  }

  std::string chunk(size_t index, const std::string& text, const std::string& log_probs, OrderedJson reason,
                    const AnswerEnd* end = nullptr) const {
    OrderedJson rest = {{"finish_reason", std::move(reason)}};
    if (end != nullptr) rest["stop_reason"] = stop_reason(*end);
    const std::string choice = joined_objects(
        {text_of(OrderedJson{{"index", index}, {"text", text}}), field_text("logprobs", log_probs), text_of(rest)});
    return event(chunk_text(head(), choice));
  }

  const std::string id_ = new_id("cmpl-");
  const std::vector<TextPrompt> prompts_;
  const size_t choices_per_prompt_;
  std::vector<Place> places_;  // Of each choice.
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
  if (prompts.size() * static_cast<size_t>(n) > kMaxPrompts) {
    throw ApiError(400, "invalid_value", "n", "n: {} answers to each of {} prompts, expected at most {} in all", n,
                   prompts.size(), kMaxPrompts);
  }
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
  check_amount(ask.job);
  if (!echoes) prompts.clear();
  ask.job.listener = std::make_shared<CompletionReply>(service, call, ask, engine, n, std::move(prompts));
  service.submit(call, std::move(ask.job));
}

}  // namespace tinyllm
