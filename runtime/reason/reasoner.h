#pragma once

#include <tinyllm/model/text/message.h>
#include <tinyllm/runtime/batcher.h>
#include <tinyllm/runtime/reason/poll.h>

#include <memory>

namespace tinyllm {

/// What the calculator does with a chain of thought.
enum class CalculatorUse : uint8_t {
  off,      ///< Nothing: every chain with an answer has one vote.
  check,    ///< Chains with false equations weigh less.
  correct,  ///< What follows from false equations is corrected before a chain votes; the rest is checked.
  force,    ///< The model can only write right results; what it wrote all the same is checked.
};
constexpr auto names(CalculatorUse) { return std::array{"off", "check", "correct", "force"}; }

struct ReasonOptions {
  int64_t chains = 5;       ///< See PollOptions.
  double confidence = 0.9;  ///< See PollOptions.
  CalculatorUse calculator = CalculatorUse::check;
  /// Of each chain. The seed of chain k is `seed_of_choice(seed, k)`. `constraint` must be empty if the calculator
  /// forces results.
  GenerateOptions answer = {.sampling = {.temperature = 0.8F}};
};

/// A question for a model.
struct Question {
  std::vector<int32_t> prompt;
  std::string text = {};   ///< The question itself. Numbers in it are not corrected.
  std::string begun = {};  ///< What the prompt has of the answer already, as `<think>`.
};

/// The question that a conversation ends with. Throws Error as `chat_prompt` does, and when it is empty.
Question question_of(const Model& model, const Messages& messages, int64_t context);

/// What a model reasoned about one question.
struct Reasoned {
  struct Chain {
    Ballot ballot;
    Completion completion;
  };
  std::vector<Chain> chains;  ///< That were sampled, in order.
  Verdict verdict;
  bool is_cancelled = false;  ///< By a callback. The verdict is that of the chains as far as they came.
  std::string error = {};     ///< Why a chain failed; empty: none did. The verdict is then empty.
};

/// Called while a question is answered. Either may be empty.
struct ReasonCallbacks {
  /// Text of a chain as it is generated. Return false to end all chains of the question.
  std::function<bool(size_t chain, std::string_view text)> on_text = {};
  /// A chain has ended.
  std::function<void(size_t chain, const Ballot& ballot, const Completion& completion)> on_chain = {};
};

/// Answers questions by self-consistency: samples several chains of thought for each, together in one batch, and lets
/// them vote. The prompt is computed once. Chain k is the same, to the bit, whatever the number of chains, of questions
/// and of threads. For one thread at a time.
class Reasoner {
 public:
  /// `session` must outlive it.
  explicit Reasoner(Session& session, const BatcherOptions& options = {});
  ~Reasoner();
  Reasoner(const Reasoner&) = delete;
  Reasoner& operator=(const Reasoner&) = delete;

  /// Queues a question. `on_done` is called once, in `step`, and may queue others. Throws Error on an empty prompt, on
  /// one that leaves no room in the context, and on invalid options: of these also temperature 0 with several chains,
  /// which would all be the same.
  void submit(Question question, const ReasonOptions& options, std::function<void(Reasoned)> on_done,
              ReasonCallbacks callbacks = {});
  /// Computes one pass for all questions. Returns false when none is left.
  bool step();

  /// Asks one question and waits for its answer. Throws Error as `submit` does, and when a chain fails.
  Reasoned reason(Question question, const ReasonOptions& options = {}, ReasonCallbacks callbacks = {});

 private:
  class Asked;
  const Session& session_;
  Batcher batcher_;
  std::unique_ptr<const CalculatorConstraints> calculator_;  // Made when it is first needed.
};

}  // namespace tinyllm
