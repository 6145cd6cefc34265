#include <tinyllm/runtime/serve/answer_reply.h>

#include <tinyllm/tensor/base/utf8.h>

#include <ctime>

namespace tinyllm {

const char* finish_reason(AnswerEnd::Reason reason) {
  if (reason == AnswerEnd::Reason::length) return "length";
  return reason == AnswerEnd::Reason::content_filter ? "content_filter" : "stop";
}

std::string token_text(const Tokenizer& tokenizer, int32_t token) {
  const std::string bytes = tokenizer.decode({&token, 1});
  return replace_invalid_utf8(bytes.empty() ? tokenizer.piece(token) : bytes);
}

AnswerReply::AnswerReply(std::shared_ptr<Call> call, const Ask& ask, const Engine& engine, int64_t choices_per_prompt)
    : call_(std::move(call)),
      ask_(ask),
      engine_(engine),
      choices_per_prompt_(static_cast<size_t>(choices_per_prompt)),
      created_(std::time(nullptr)),
      answers_(ask.job.choices.size()),
      left_(answers_.size()) {}

void AnswerReply::refused(const ApiError& error) { call_->send_error(error); }

void AnswerReply::began() {
  if (!ask_.streams) return;
  call_->start_stream();
  call_->write(stream_begin());
}

void AnswerReply::on_part(AnswerPart&& part) {
  if (has_failed_) return;
  if (ask_.streams) {
    const std::string events = call_->is_gone() ? "" : stream_part(part);
    if (!events.empty()) call_->write(events);
    return;
  }
  Answer& answer = answers_[part.choice];
  answer.reasoning += part.reasoning;
  answer.text += part.answer;
  std::ranges::move(part.tokens, std::back_inserter(answer.tokens));
}

void AnswerReply::on_end(AnswerEnd&& end) {
  if (has_failed_) return;
  if (end.reason == AnswerEnd::Reason::failed) {
    const bool is_ours = end.error != "the server is shutting down";
    return fail(ApiError(is_ours ? 500 : 503, is_ours ? "internal_error" : "shutting_down", "", "{}", end.error));
  }
  Answer& answer = answers_[end.choice];
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
    call_->send_json(whole());
  }
}

void AnswerReply::still_there() {
  if (ask_.streams && !has_failed_) call_->write(": ping\n\n");
}

void AnswerReply::fail(const ApiError& error) {
  has_failed_ = true;
  if (ask_.streams) return call_->fail_stream(error);
  call_->send_error(error);
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
