#include <tinyllm/runtime/serve/answer_reply.h>

#include <tinyllm/runtime/text_stream.h>

#include <ctime>

namespace tinyllm {

const char* finish_reason(AnswerEnd::Reason reason) {
  if (reason == AnswerEnd::Reason::length) return "length";
  return reason == AnswerEnd::Reason::content_filter ? "content_filter" : "stop";
}

ApiError error_of(const AnswerEnd& end) {
  const bool is_ours = end.error != kShuttingDown;
  return ApiError(is_ours ? 500 : 503, is_ours ? "internal_error" : "shutting_down", "", "{}", end.error);
}

std::string token_text(const Tokenizer& tokenizer, int32_t token) {
  const std::string bytes = tokenizer.decode({&token, 1});
  return replace_broken_characters(bytes.empty() ? tokenizer.piece(token) : bytes);
}

AnswerReply::AnswerReply(Service& service, std::shared_ptr<Call> call, const Ask& ask, const Engine& engine,
                         int64_t choices_per_prompt)
    : service_(service),
      call_(std::move(call)),
      ask_(ask),
      engine_(engine),
      choices_per_prompt_(static_cast<size_t>(choices_per_prompt)),
      created_(std::time(nullptr)),
      answers_(ask.job.answers()),
      left_(answers_.size()) {
  for (Answer& answer : answers_) {
    if (ask_.calls) answer.parts.emplace(*ask_.calls);
  }
  call_->headers.emplace_back("X-Seed", fmt::format("{}", static_cast<int64_t>(ask_.seed)));
}

void AnswerReply::refused(const ApiError& error) { call_->send_error(error); }

void AnswerReply::began() {
  if (!ask_.streams) return;
  call_->start_stream();
  call_->write(stream_begin());
}

void AnswerReply::on_part(AnswerPart&& part) {
  if (!has_failed_) add(std::move(part), false);
}

void AnswerReply::add(AnswerPart&& part, bool is_last) {
  Answer& answer = answers_[part.choice];
  const size_t before = answer.calls.size();
  if (answer.parts) {
    ToolAnswer::Part parts = answer.parts->add(part.answer, is_last);
    part.answer = std::move(parts.content);
    for (ToolCall& call : parts.calls) answer.calls.push_back({std::move(call), new_id("call_"), answer.calls.size()});
  }
  if (part.prompt_log_probs) answer.prompt_log_probs = part.prompt_log_probs;
  answer.reasoning += part.reasoning;
  answer.text += part.answer;
  std::ranges::move(part.tokens, std::back_inserter(answer.tokens));
  if (!ask_.streams || call_->is_gone()) return;
  const std::span calls = std::span(answer.calls).subspan(before);
  const bool is_held_back = part.reasoning.empty() && part.answer.empty() && calls.empty() && !part.prompt_log_probs &&
                            (answer.tokens.empty() || (answer.parts && !is_last));
  if (is_held_back) return;
  part.tokens = std::exchange(answer.tokens, {});
  if (const std::string events = stream_part(part, calls); !events.empty()) call_->write(events);
}

void AnswerReply::on_end(AnswerEnd&& end) {
  if (has_failed_) return;
  if (end.reason == AnswerEnd::Reason::failed) return fail(error_of(end));
  Answer& answer = answers_[end.choice];
  if (answer.parts) add({end.choice, {}, {}, {}}, true);
  answer.end = std::move(end);
  answer.has_ended = true;
  --left_;
  if (call_->is_gone()) return;
  if (ask_.streams) {
    call_->write(stream_end(answer.end));
    if (left_ == 0) {
      call_->write(stream_finish());
      call_->finish();
    }
  } else if (left_ == 0) {
    send_whole();
  }
}

// Whether it takes long to write.
bool AnswerReply::is_long() const {
  int64_t listed = 0;
  for (const Answer& answer : answers_) listed += std::ssize(answer.tokens) * (ask_.log_probs + 1);
  return listed > kLongReply;
}

void AnswerReply::send_whole() {
  if (!is_long()) return call_->send_json(whole());
  const auto self = shared_from_this();
  send_long_json(service_, call_, self, [self] { return self->whole(); });
}

void AnswerReply::on_chain(int64_t ended, int64_t samples) {
  if (ask_.streams && !has_failed_) call_->write(fmt::format(": chain {}/{}\n\n", ended, samples));
}

void AnswerReply::still_there() {
  if (ask_.streams && !has_failed_) call_->write(": ping\n\n");
}

void AnswerReply::broke(const std::string& error) {
  if (std::exchange(has_failed_, true)) return;
  try {
    fail(ApiError(500, "internal_error", "", "{}", error));
  } catch (const std::exception&) {  // The reply had been begun: it ends unfinished, with the call.
  }
}

void AnswerReply::fail(const ApiError& error) {
  has_failed_ = true;
  if (ask_.streams) return call_->fail_stream(error);
  call_->send_error(error);
}

std::string AnswerReply::chunk_text(const OrderedJson& head, const std::string& choice) const {
  const std::string choices = field_text("choices", fmt::format("[{}]", choice));
  if (!ask_.wants_usage) return joined_objects({text_of(head), choices});
  return joined_objects({text_of(head), choices, field_text("usage", "null")});
}

Usage AnswerReply::usage() const {
  Usage usage;
  for (size_t i = 0; i < answers_.size(); ++i) {
    const AnswerEnd& end = answers_[i].end;
    if (i % choices_per_prompt_ == 0) {
      usage.prompt += end.prompt_tokens;
      usage.cached += end.cached_tokens;
    }
    usage.completion += end.completion_tokens;
    usage.reasoning += end.reasoning_tokens;
  }
  return usage;
}

}  // namespace tinyllm
