#include <tinyllm/train/eval/answers.h>

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/model/text/reasoning.h>
#include <tinyllm/runtime/reason/reasoner.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/train/eval/statistics.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace tinyllm::eval {
namespace {

bool is_marked(AnswerMarker marker) {
  return marker == AnswerMarker::section || marker == AnswerMarker::box || marker == AnswerMarker::tag ||
         marker == AnswerMarker::hashes;
}

bool keeps_template(const SampledChain& chain) {
  const ParsedAnswer parsed = parse_reasoning(chain.text);
  return !chain.is_cut_off && !is_blank(parsed.cot) && !is_blank(parsed.final);
}

// What a model said, as it is compared with the right answer.
class Marker {
 public:
  Marker(const Question& question) : question_(question), gold_(normal_answer(question.answer)) {}

  std::vector<Ballot> ballots(std::span<const SampledChain> chains, const VoteRules& rules) const {
    std::vector<Ballot> all;
    for (const SampledChain& chain : chains) all.push_back(ballot_of(question_.text, chain, rules));
    return all;
  }
  bool is_right(const Ballot& ballot) const { return same_answer(ballot.answer, gold_); }
  // Whether the answer of most of the first `count` is right.
  bool is_right(std::span<const Ballot> ballots, size_t count) const {
    const Verdict verdict = count_votes(ballots.first(count));
    return !verdict.candidates.empty() && is_right(ballots[verdict.chain]);
  }

 private:
  const Question& question_;
  NormalAnswer gold_;
};

constexpr VoteRules kUnchecked{.false_equation_weight = 1};
constexpr VoteRules kChecked{};
constexpr VoteRules kCorrected{.corrects = true};

Json described(const SampledChain& chain, const Ballot& ballot) {
  Json result = {{"said", chain.text}, {"answer", ballot.answer.said}};
  if (chain.is_cut_off) result["is_cut_off"] = true;
  if (!ballot.false_equations.empty()) result["false_equations"] = ballot.false_equations.size();
  return result;
}

Json score(const Marker& marker, const Answers& answers, const std::string& prefix, Result& result) {
  Json detail = Json::array();
  const std::vector<Ballot> plain = marker.ballots(answers.chains, kUnchecked);
  int64_t right = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    right += marker.is_right(plain[i]);
    detail.push_back(described(answers.chains[i], plain[i]));
  }
  if (plain.empty()) return detail;
  const std::vector<Ballot> checked = marker.ballots(answers.chains, kChecked);
  const std::vector<Ballot> corrected = marker.ballots(answers.chains, kCorrected);
  const auto n = std::ssize(plain);
  const bool is_forced = !prefix.empty();
  result.scores[prefix + "sampled"] = pass_at_k(n, right, 1);
  for (const int64_t k : kVotes) {
    if (k > n) break;
    const auto count = static_cast<size_t>(k);
    const std::string vote = fmt::format("{}vote_{}", prefix, k);
    result.scores[vote] = marker.is_right(plain, count);
    result.scores[fmt::format("{}pass_{}", prefix, k)] = pass_at_k(n, right, k);
    if (is_forced) continue;
    result.scores[vote + "_checked"] = marker.is_right(checked, count);
    result.scores[vote + "_corrected"] = marker.is_right(corrected, count);
  }
  return detail;
}

// One answer to draw of one question.
struct Draw {
  bool is_forced = false;
  int64_t chain = -1;  // -1: the greedy one.
};

// A question while its answers are drawn.
struct Asked {
  size_t question = 0;
  size_t left = 0;  // Answers that are still drawn.
  Answers answers = {}, forced = {};
};

class Asking {
 public:
  Asking(Session& session, const QuestionSet& set, const AnswerOptions& options, const OnAnswers& on)
      : session_(session), set_(set), options_(options), on_(on), batcher_(session) {
    const Model& model = session.model();
    if (options.forces) constraints_.emplace(*model.tokenizer, model.config.vocab_size);
    for (const bool is_forced : {false, true}) {
      if (is_forced && !options.forces) break;
      for (int64_t chain = -1; chain < options.chains; ++chain) draws_.push_back({is_forced, chain});
    }
  }

  void run(std::span<const size_t> questions) {
    constexpr size_t kMostAsked = 64;  // Prompts in memory.
    for (;;) {
      while (!questions.empty() && asked_ < kMostAsked) {
        begin(questions[0]);
        questions = questions.subspan(1);
      }
      if (asked_ == 0) return;
      batcher_.step();
      if (!on_.pass(batcher_.last_pass().tokens)) return;
    }
  }

 private:
  // Nothing if it does not fit into the context.
  std::optional<tinyllm::Question> chat_of(const Question& question) const {
    const Model& model = session_.model();
    Messages messages;
    const std::string& system = question.system.empty() ? options_.system : question.system;
    if (!system.empty()) messages.push_back({Role::system, system});
    for (const Question* example : examples_for(set_, question, options_.shots)) {
      messages.push_back({Role::user, example->text});
      messages.push_back({Role::assistant, example->solution});
    }
    messages.push_back({Role::user, question.text});
    try {
      return question_of(model, messages, session_.context());
    } catch (const Error&) {
      // Throws again, unless the length is all that is wrong.
      fit_chat_prompt(*model.tokenizer, *model.chat_template, messages, session_.context() - 1);
      return {};
    }
  }

  // The form of lm-evaluation-harness's GSM8K, also in Chinese.
  std::optional<tinyllm::Question> text_of(const Question& question) const {
    const std::string asked = set_.is_chinese ? "问题：" : "Question: ", said = set_.is_chinese ? "答案：" : "Answer:";
    std::string text;
    for (const Question* example : examples_for(set_, question, options_.shots)) {
      text += fmt::format("{}{}\n{} {}\n\n", asked, example->text, said, example->solution);
    }
    text += fmt::format("{}{}\n{}", asked, question.text, said);
    tinyllm::Question asking{.prompt = session_.model().tokenizer->encode_alone(text)};
    if (std::ssize(asking.prompt) >= session_.context()) return {};
    return asking;
  }

  void begin(size_t index) {
    const Question& question = set_.questions.at(index);
    const auto asked = std::make_shared<Asked>();
    asked->question = index;
    asked->left = draws_.size();
    for (Answers* each : {&asked->answers, &asked->forced}) each->chains.resize(static_cast<size_t>(options_.chains));
    const std::optional<tinyllm::Question> asking = options_.is_chat ? chat_of(question) : text_of(question);
    if (!asking) {
      finish(*asked, R"({"does_not_fit":true})");
      return;
    }
    ++asked_;
    for (const Draw& draw : draws_) {
      Request request{.prompt = asking->prompt, .options = {.max_tokens = options_.max_tokens}};
      if (!options_.is_chat) {
        request.options.stop = {set_.is_chinese ? "问题：" : "Question:", "</s>", "<|im_end|>"};
      }
      if (draw.is_forced) request.options.constraint = constraints_->make(asking->begun);
      if (draw.chain >= 0) {
        const uint64_t seed = Random(options_.seed, index).next();
        request.options.sampling = {.temperature = options_.temperature, .seed = seed_of_choice(seed, draw.chain)};
        request.options.top_log_probs = 0;
      }
      request.on_done = [this, asked, draw, begun = asking->begun](const Completion& completion) {
        take(*asked, draw, begun, completion);
      };
      batcher_.submit(std::move(request));
    }
  }

  void take(Asked& asked, const Draw& draw, const std::string& begun, const Completion& completion) {
    if (completion.finish_reason == FinishReason::failed) throw Error("{}", completion.error);
    Answers& answers = draw.is_forced ? asked.forced : asked.answers;
    SampledChain& chain = draw.chain < 0 ? answers.greedy : answers.chains[static_cast<size_t>(draw.chain)];
    chain.text = begun + completion.text;
    chain.is_cut_off = is_cut_off(completion.finish_reason);
    if (draw.chain >= 0) {
      chain.mean_log_prob = mean_log_prob(completion, draw.is_forced ? &*constraints_ : nullptr, begun);
    }
    if (--asked.left > 0) return;
    --asked_;
    finish(asked);
  }

  void finish(const Asked& asked, const std::string& detail = "") {
    Result result =
        score_answers(set_.questions[asked.question], asked.answers, options_.forces ? &asked.forced : nullptr);
    result.question = asked.question;
    if (!detail.empty()) result.detail = detail;
    on_.result(std::move(result));
  }

  Session& session_;
  const QuestionSet& set_;
  const AnswerOptions& options_;
  const OnAnswers& on_;
  Batcher batcher_;
  std::optional<CalculatorConstraints> constraints_;
  std::vector<Draw> draws_;
  size_t asked_ = 0;  // Questions without a result.
};

}  // namespace

Result score_answers(const Question& question, const Answers& answers, const Answers* forced) {
  const Marker marker(question);
  Result result{.kind = question.kind};
  const Ballot greedy = ballot_of(question.text, answers.greedy, kChecked);
  const bool is_right = marker.is_right(greedy);
  result.scores["greedy"] = is_right;
  result.scores["greedy_strict"] = is_right && is_marked(greedy.marker);
  if (greedy.has_answer() && greedy.false_equations.empty()) result.scores["greedy_checked"] = is_right;
  result.scores["greedy_corrected"] = marker.is_right(ballot_of(question.text, answers.greedy, kCorrected));
  result.scores["template"] = keeps_template(answers.greedy);
  if (!equations_in(answers.greedy.text).empty()) result.scores["equations"] = greedy.false_equations.empty();
  Json detail = {{"gold", question.answer}, {"greedy", described(answers.greedy, greedy)}};
  detail["chains"] = score(marker, answers, "", result);
  if (forced != nullptr) {
    const Ballot ballot = ballot_of(question.text, forced->greedy, kUnchecked);
    result.scores["forced"] = marker.is_right(ballot);
    result.scores["forced_strict"] = marker.is_right(ballot) && is_marked(ballot.marker);
    detail["forced"] = described(forced->greedy, ballot);
    detail["forced_chains"] = score(marker, *forced, "forced_", result);
  }
  result.detail = detail.dump(-1, ' ', false, Json::error_handler_t::replace);
  return result;
}

void ask(Session& session, const QuestionSet& set, std::span<const size_t> questions, const AnswerOptions& options,
         const OnAnswers& on) {
  if (options.chains < 0) throw Error("ask: {} chains, expected 0 or more", options.chains);
  Asking(session, set, options, on).run(questions);
}

}  // namespace tinyllm::eval
