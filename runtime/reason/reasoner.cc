#include <tinyllm/runtime/reason/reasoner.h>

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/model/text/reasoning.h>

namespace tinyllm {
namespace {

PollOptions poll_options(const ReasonOptions& options) {
  return {.chains = options.chains,
          .confidence = options.confidence,
          .rules = {
              .false_equation_weight = options.calculator == CalculatorUse::off ? 1 : VoteRules{}.false_equation_weight,
              .corrects = options.calculator == CalculatorUse::correct}};
}

}  // namespace

Question question_of(const Model& model, const Messages& messages, int64_t context) {
  Question question;
  for (const Message& message : messages) {
    if (message.role == Role::user) question.text = message.content;
  }
  if (question.text.empty()) throw Error("the question is empty");
  question.prompt = chat_prompt(*model.tokenizer, *model.chat_template, messages, context - 1);
  question.begun = begun_thinking(model.chat_template->render(messages, {.add_generation_prompt = true}));
  return question;
}

// One question. Requests hold it: it lives until the last of them has ended.
class Reasoner::Asked : public std::enable_shared_from_this<Asked> {
 public:
  Asked(Batcher& batcher, Question question, const ReasonOptions& options, const CalculatorConstraints* calculator,
        std::function<void(Reasoned)> on_done, ReasonCallbacks callbacks)
      : batcher_(batcher),
        poll_(question.text, poll_options(options)),
        question_(std::move(question)),
        options_(options.answer),
        calculator_(calculator),
        on_done_(std::move(on_done)),
        callbacks_(std::move(callbacks)) {
    // For the means of the chains.
    options_.top_log_probs = std::max<int64_t>(options_.top_log_probs, 0);
  }

  void submit_open() {
    while (ids_.size() < poll_.open()) {
      const size_t chain = ids_.size();
      Request request{.prompt = question_.prompt, .options = options_};
      request.options.sampling.seed = seed_of_choice(options_.sampling.seed, static_cast<int64_t>(chain));
      if (calculator_ != nullptr) request.options.constraint = calculator_->make(question_.begun);
      request.on_text = [self = shared_from_this(), chain](std::string_view text, const Completion&) {
        return self->on_text(chain, text);
      };
      request.on_done = [self = shared_from_this(), chain](Completion completion) {
        self->on_done(chain, std::move(completion));
      };
      ids_.push_back(batcher_.submit(std::move(request)));
    }
  }

 private:
  bool on_text(size_t chain, std::string_view text) {
    if (!result_.is_cancelled && callbacks_.on_text && !callbacks_.on_text(chain, text)) {
      result_.is_cancelled = true;
      end();
    }
    return !result_.is_cancelled;
  }

  // Ends all chains.
  void end() {
    poll_.close();
    for (const Batcher::Id id : ids_) batcher_.cancel(id);
  }

  void on_done(size_t chain, Completion completion) {
    if (completion.finish_reason == FinishReason::failed && result_.error.empty()) {
      result_.error = completion.error;
      end();
    }
    const SampledChain said{question_.begun + completion.text, is_cut_off(completion.finish_reason),
                            mean_log_prob(completion, calculator_, question_.begun)};
    const Ballot& ballot = poll_.add(chain, said);
    if (callbacks_.on_chain) callbacks_.on_chain(chain, ballot, completion);
    result_.chains.resize(std::max(result_.chains.size(), chain + 1));
    result_.chains[chain].completion = std::move(completion);
    if (++ended_ < ids_.size()) return;
    if (!poll_.is_over()) return submit_open();
    for (size_t i = 0; i < result_.chains.size(); ++i) result_.chains[i].ballot = poll_.ballots()[i];
    if (result_.error.empty()) result_.verdict = poll_.verdict();
    on_done_(std::move(result_));
  }

  Batcher& batcher_;
  Poll poll_;
  Question question_;
  GenerateOptions options_;
  const CalculatorConstraints* calculator_;  // Null: it does not force results.
  std::function<void(Reasoned)> on_done_;
  ReasonCallbacks callbacks_;
  std::vector<Batcher::Id> ids_;
  size_t ended_ = 0;
  Reasoned result_;
};

Reasoner::Reasoner(Session& session, const BatcherOptions& options) : session_(session), batcher_(session, options) {}
Reasoner::~Reasoner() = default;

void Reasoner::submit(Question question, const ReasonOptions& options, std::function<void(Reasoned)> on_done,
                      ReasonCallbacks callbacks) {
  if (options.chains > 1 && options.answer.sampling.temperature == 0) {
    throw Error("reason: temperature 0 makes all {} chains the same, expected more than 0, or 1 chain", options.chains);
  }
  const CalculatorConstraints* calculator = nullptr;
  if (options.calculator == CalculatorUse::force) {
    if (options.answer.constraint) throw Error("reason: another constraint beside the calculator's, expected none");
    if (!calculator_) {
      const Model& model = session_.model();
      calculator_ = std::make_unique<const CalculatorConstraints>(*model.tokenizer, model.config.vocab_size);
    }
    calculator = calculator_.get();
  }
  const auto asked = std::make_shared<Asked>(batcher_, std::move(question), options, calculator, std::move(on_done),
                                             std::move(callbacks));
  asked->submit_open();
}

bool Reasoner::step() { return batcher_.step(); }

Reasoned Reasoner::reason(Question question, const ReasonOptions& options, ReasonCallbacks callbacks) {
  std::optional<Reasoned> result;
  submit(
      std::move(question), options, [&](Reasoned reasoned) { result = std::move(reasoned); }, std::move(callbacks));
  while (!result) step();
  if (!result->error.empty()) throw Error("{}", result->error);
  return *std::move(result);
}

}  // namespace tinyllm
