#pragma once

#include <tinyllm/runtime/serve/ask.h>
#include <tinyllm/runtime/serve/call.h>
#include <tinyllm/runtime/serve/json_text.h>
#include <tinyllm/runtime/serve/service.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tinyllm {

/// The tokens of a whole request: a prompt counts once, however many answers it has.
struct Usage {
  int64_t prompt = 0, cached = 0, completion = 0, reasoning = 0;
};

/// A call of a tool in an answer.
struct AnswerCall : ToolCall {
  std::string id;
  size_t index;  ///< Among those of the answer.
};

/// Turns what a job reports into a reply, as a stream or whole. A subclass knows the words of one endpoint.
class AnswerReply : public JobListener, public std::enable_shared_from_this<AnswerReply> {
 public:
  /// `choices_per_prompt` is n. Sets the header X-Seed.
  AnswerReply(Service& service, std::shared_ptr<Call> call, const Ask& ask, const Engine& engine,
              int64_t choices_per_prompt);

  void refused(const ApiError& error) final;
  void began() final;
  void on_part(AnswerPart&& part) final;
  void on_end(AnswerEnd&& end) final;
  void on_chain(int64_t ended, int64_t samples) final;
  void still_there() final;
  void broke(const std::string& error) final;

 protected:
  /// An answer as far as it is known.
  struct Answer {
    std::string reasoning;
    std::string text;
    std::vector<AnswerToken> tokens;  ///< Of a stream: those that were not sent.
    std::vector<AnswerCall> calls;
    std::shared_ptr<const std::vector<TokenLogProbs>> prompt_log_probs;
    AnswerEnd end;
    bool has_ended = false;
    std::optional<ToolAnswer> parts = {};  ///< If it may call tools.
  };

  // For a stream. Each returns what is to be sent, whole events.
  virtual std::string stream_begin() { return {}; }
  /// What is new of an answer, which `answers()` has already, but for the tokens: text, then calls.
  virtual std::string stream_part(const AnswerPart& part, std::span<const AnswerCall> calls) = 0;
  virtual std::string stream_end(const AnswerEnd& end) = 0;
  virtual std::string stream_finish() = 0;
  /// The whole reply, as JSON. Called once, by any thread.
  virtual std::string whole() = 0;

  Usage usage() const;
  /// A chunk of a stream in OpenAI's form, of its fields and its one choice.
  std::string chunk_text(const OrderedJson& head, const std::string& choice) const;
  std::vector<Answer>& answers() { return answers_; }
  const std::vector<Answer>& answers() const { return answers_; }
  const ReplyOptions& ask() const { return ask_; }
  const Engine& engine() const { return engine_; }
  int64_t created() const { return created_; }

 private:
  void add(AnswerPart&& part, bool is_last);
  void fail(const ApiError& error);
  void send_whole();
  bool is_long() const;

  Service& service_;
  std::shared_ptr<Call> call_;
  const ReplyOptions ask_;  // Not the job, whose prompts may be long.
  const Engine& engine_;
  size_t choices_per_prompt_;
  int64_t created_;
  std::vector<Answer> answers_;
  size_t left_;
  bool has_failed_ = false;
};

/// Why an answer has failed, for its client.
ApiError error_of(const AnswerEnd& end);

/// "stop", "length" or "content_filter".
const char* finish_reason(AnswerEnd::Reason reason);

/// The text of a token for people; its bytes are what counts.
std::string token_text(const Tokenizer& tokenizer, int32_t token);

}  // namespace tinyllm
