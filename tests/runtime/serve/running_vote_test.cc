#include <doctest/doctest.h>

#include <tinyllm/runtime/serve/running_job.h>

#include "runtime/constraint/table_tokenizer.h"

#include <string>
#include <vector>

namespace tinyllm::test {
namespace {

// Writes down what it hears.
struct Heard final : JobListener {
  void refused(const ApiError&) override { events.emplace_back("refused"); }
  void on_part(AnswerPart&& part) override { events.push_back("part " + part.answer); }
  void on_end(AnswerEnd&& end) override {
    events.push_back(std::string("end ") + name_of(end.reason));
    last = std::move(end);
  }
  void on_chain(int64_t ended, int64_t samples) override { events.push_back(fmt::format("{}/{}", ended, samples)); }
  void broke(const std::string& error) override { events.push_back(error); }

  std::vector<std::string> events;
  AnswerEnd last;
};

// A vote whose chains are what the tests say.
class Vote {
 public:
  explicit Vote(int64_t samples, std::vector<std::string> stop = {}, std::shared_ptr<const Filter> filter = nullptr) {
    Job job;
    job.listener = heard;
    job.stop = std::move(stop);
    job.filter = std::move(filter);
    job.refusal = "(no)";
    job.vote = {{.chains = samples}, false};
    const auto prompt = std::make_shared<const std::vector<int32_t>>(10, 5);
    for (int64_t i = 0; i < samples; ++i) job.choices.push_back({prompt, 0, ""});
    running = std::make_unique<RunningJob>(std::move(job), tokenizer_, outbox_);
  }

  // Begins all that may.
  size_t begin() {
    size_t count = 0;
    for (; running->has_more(); ++count) {
      requests.push_back(running->next_request());
      running->submitted(requests.size());
    }
    return count;
  }
  void end(size_t chain, const std::string& text, FinishReason reason = FinishReason::end_token, double log_prob = -1) {
    Completion completion;
    completion.text = text;
    completion.tokens.resize(3, 5);
    completion.log_probs.resize(3, {.log_prob = log_prob, .top = {}});
    completion.finish_reason = reason;
    completion.prompt_tokens = 10;
    completion.cached_tokens = chain == 0 ? 0 : 9;
    if (reason == FinishReason::failed) completion.error = "out of luck";
    requests[chain].on_text(text, completion);
    requests[chain].on_done(std::move(completion));
  }
  // Whether the chain goes on.
  bool goes_on(size_t chain) {
    Completion so_far;
    so_far.tokens.resize(2, 5);
    so_far.prompt_tokens = so_far.cached_tokens = 10;
    return requests[chain].on_text("x", so_far);
  }
  std::vector<std::string> events() {
    deliver(std::exchange(outbox_, {}));
    return std::exchange(heard->events, {});
  }

  std::shared_ptr<Heard> heard = std::make_shared<Heard>();
  std::vector<Request> requests;
  std::unique_ptr<RunningJob> running;

 private:
  TableTokenizer tokenizer_;
  Outbox outbox_;
};

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("a listener hears of the best chain, with the tokens of all") {
  Vote vote(9);
  CHECK(vote.begin() == 3);
  vote.end(1, "7");
  vote.end(0, "8");
  CHECK(vote.events() == Events{"1/9", "2/9"});
  vote.end(2, "7");
  // 2 to 1 decides nothing.
  CHECK_FALSE(vote.running->has_ended());
  CHECK(vote.begin() == 2);
  CHECK(vote.events() == Events{"3/9"});
  for (size_t next = 3; !vote.running->has_ended(); ++next) {
    if (next == vote.requests.size()) CHECK(vote.begin() == 2);
    vote.end(next, "7");
  }
  CHECK(vote.requests.size() == 7);
  CHECK(vote.running->in_batcher() == 0);
  CHECK(vote.begin() == 0);
  CHECK(vote.events() == Events{"4/9", "5/9", "6/9", "7/9", "part 7", "end stop"});
  CHECK(vote.heard->last.choice == 0);
  CHECK(vote.heard->last.completion_tokens == 7 * 4);  // With the end tokens.
  CHECK(vote.heard->last.cached_tokens == 0);
  CHECK(vote.heard->last.computed_again == 6);
  CHECK(vote.heard->last.verdict.find(R"("answer":"7","agreement":0.85)") != std::string::npos);
}

TEST_CASE("a chain that fails ends the vote") {
  Vote vote(9);
  vote.begin();
  vote.end(0, "7");
  vote.end(1, "", FinishReason::failed);
  CHECK_FALSE(vote.goes_on(2));
  CHECK(vote.events() == Events{"1/9"});
  vote.end(2, "7", FinishReason::cancelled);
  CHECK(vote.running->has_ended());
  CHECK(vote.begin() == 0);
  CHECK(vote.events() == Events{"end error"});
  CHECK(vote.heard->last.error == "out of luck");
  CHECK(vote.heard->last.verdict.empty());
}

TEST_CASE("a vote that is cancelled ends once: before it begins, while chains run, and between windows") {
  for (const int chains : {0, 1, 3}) {
    Vote vote(9);
    if (chains > 0) vote.begin();
    for (int i = 0; i + 1 < chains; ++i) vote.end(static_cast<size_t>(i), std::to_string(i));
    if (chains == 3) vote.end(2, "2");
    vote.running->abandon();
    CHECK(vote.running->has_ended());
    CHECK_FALSE(vote.running->has_more());
    Events expected;
    for (int i = 1; i <= (chains == 3 ? 3 : chains - 1); ++i) expected.push_back(fmt::format("{}/9", i));
    expected.emplace_back("end abort");
    CHECK(vote.events() == expected);
    CHECK(vote.heard->last.completion_tokens == (chains == 3 ? 12 : 0));
    CHECK(vote.heard->last.prompt_tokens == 10);
    // The batcher ends what was begun.
    for (size_t i = chains == 3 ? 3 : 0; i < vote.requests.size(); ++i) vote.end(i, "9", FinishReason::cancelled);
    CHECK(vote.running->in_batcher() == 0);
    CHECK(vote.events().empty());
  }
}

TEST_CASE("a chain that the filter refuses is shown only when all are refused") {
  const auto filter = std::make_shared<const Filter>("secret");
  Vote vote(3, {}, filter);
  vote.begin();
  // What is cut off has no answer, and the one that is refused is the likeliest.
  vote.end(0, "hello", FinishReason::max_tokens, -3);
  vote.end(1, "a secret", FinishReason::cancelled, -1);
  vote.end(2, "good day", FinishReason::max_tokens, -2);
  CHECK(vote.events() == Events{"1/3", "2/3", "3/3", "part good day", "end length"});

  Vote none(2, {}, filter);
  none.begin();
  none.end(0, "a secret", FinishReason::cancelled, -1);
  none.end(1, "secret 8", FinishReason::cancelled, -1);
  CHECK(none.events() == Events{"1/2", "2/2", "part a (no)", "end content_filter"});
}

TEST_CASE("what an answer's stop string cuts off has no vote") {
  Vote vote(1, {"。"});
  vote.begin();
  vote.end(0, "答案：7。答案：8", FinishReason::cancelled);
  CHECK(vote.events() == Events{"1/1", "part 答案：7", "end stop"});
  CHECK(vote.heard->last.verdict.find(R"("answer":"7")") != std::string::npos);
}

}  // namespace tinyllm::test
