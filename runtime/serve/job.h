#pragma once

#include <tinyllm/runtime/reason/poll.h>
#include <tinyllm/runtime/request.h>
#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/filter.h>
#include <tinyllm/tensor/base/clock.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tinyllm {

/// A token of an answer, as a reply lists it.
struct AnswerToken {
  int32_t token;
  std::string bytes;  ///< Those of its bytes that belong to the text.
  size_t offset;      ///< Of its text in the whole text of the model, in bytes.
  TokenLogProbs log_probs;
};

/// What is new of one answer of a job.
struct AnswerPart {
  size_t choice = 0;
  std::string reasoning;
  std::string answer;
  std::vector<AnswerToken> tokens;  ///< If the job wants them.
  /// Of the prompt, with the first part, if the job wants them. Answers to the same prompt share them.
  std::shared_ptr<const std::vector<TokenLogProbs>> prompt_log_probs = {};
};

/// How one answer of a job ended.
struct AnswerEnd {
  enum class Reason : uint8_t { stop, length, content_filter, cancelled, failed };
  size_t choice = 0;
  Reason reason = Reason::stop;
  std::string stop_string;  ///< The one that ended it; empty: none.
  std::string error;        ///< Why it failed.
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;
  int64_t completion_tokens = 0;  ///< All that were drawn: also the end token and those of a stop string.
  int64_t reasoning_tokens = 0;
  std::optional<TokenLogProbs> end_log_probs;  ///< Of the end token, if one was drawn and the job wants them.
  int32_t end_token = -1;
  std::vector<float> embedding;
  /// What the chains decided, as JSON, if they voted on this answer. The counts above are then those of all chains.
  std::string verdict;
  int64_t computed_again = 0;  ///< Tokens of the prompt that the other chains computed.
};
/// The error of answers that a server had no time to end.
inline constexpr const char* kShuttingDown = "the server is shutting down";
constexpr auto names(AnswerEnd::Reason) { return std::array{"stop", "length", "content_filter", "abort", "error"}; }

/// Whom a job reports to. All calls come from one thread, the server's; none blocks.
class JobListener {
 public:
  virtual ~JobListener() = default;
  /// It was not begun, and nothing else will be called.
  virtual void refused(const ApiError& error) = 0;
  /// It has left the queue.
  virtual void began() {}
  virtual void on_part(AnswerPart&& part) = 0;
  virtual void on_end(AnswerEnd&& end) = 0;
  /// Of the chains of thought that vote on an answer, `ended` have ended; there will be at most `samples`.
  virtual void on_chain(int64_t /*ended*/, int64_t /*samples*/) {}
  /// Nothing else was sent for a while.
  virtual void still_there() {}
  /// It has thrown, and hears nothing more.
  virtual void broke(const std::string& error) = 0;
};

/// What a listener is to be told.
struct JobEvent {
  std::shared_ptr<JobListener> listener;
  std::function<void(JobListener&)> tell;
};

/// Tells listeners what a pass has brought, in order. One that throws is told so with `broke`: the others are not
/// affected.
void deliver(const std::vector<JobEvent>& events);

using SharedTokens = std::shared_ptr<const std::vector<int32_t>>;

/// A request to a model, checked: its prompts are tokens that fit into the context.
struct Job {
  std::shared_ptr<JobListener> listener;
  size_t model = 0;    ///< Its index among those served.
  uint64_t owner = 0;  ///< Owners share the machine fairly.
  uint64_t group = 0;  ///< See Request::group.

  struct Choice {
    SharedTokens prompt;  ///< The same object for all answers to one prompt, which stand together.
    uint64_t seed = 0;
    std::string begun;  ///< What of the answer the prompt already has, as <think>.
  };
  std::vector<Choice> choices;
  /// Whether a choice is the first one of its prompt.
  bool begins_prompt(size_t choice) const {
    return choice == 0 || choices[choice].prompt != choices[choice - 1].prompt;
  }
  /// If the choices are chains of thought that vote: the listener hears of one answer, theirs.
  struct Vote {
    PollOptions poll;
    bool returns_chains = false;
  };
  std::optional<Vote> vote;
  /// Answers that the listener hears of.
  size_t answers() const { return vote ? 1 : choices.size(); }
  GenerateOptions options;  ///< Without seed and stop strings.
  /// Whose constraint the options have; null: none's.
  const CalculatorConstraints* calculator = nullptr;
  std::vector<std::string> stop;
  std::string stop_until;  ///< From this text of an answer on, stop strings mean nothing; empty: they always do.
  bool looks_for_reasoning = false;
  bool wants_tokens = false;
  std::shared_ptr<const Filter> filter;  ///< What an answer must not hold; null: all is fine.
  std::string refusal;                   ///< What follows where an answer would hold it.
  bool wants_embedding = false;          ///< Of each prompt, in place of an answer.
  Clock::time_point arrived = Clock::now();
};

}  // namespace tinyllm
