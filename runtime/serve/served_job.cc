#include <tinyllm/runtime/serve/served_job.h>

#include <tinyllm/runtime/serve/json_text.h>

namespace tinyllm {

ServedJob::ServedJob(const Job& job, std::shared_ptr<Call> call, Limits& limits, const Records& records)
    : listener_(job.listener),
      call_(std::move(call)),
      limits_(limits),
      keeps_contents_(records.audits_contents()),
      contents_(job.answers()) {
  if (!call_->key) return;
  int64_t most = 0;
  for (const Job::Choice& choice : job.choices) most += std::ssize(*choice.prompt) + job.options.max_tokens;
  reservation_ = limits_.reserve(*call_->key, most);
}

ServedJob::~ServedJob() {
  if (call_->key && reservation_.tokens > 0) limits_.settle(*call_->key, reservation_, used_);
}

void ServedJob::on_part(AnswerPart&& part) {
  if (keeps_contents_) contents_[part.choice] += part.reasoning + part.answer;
  listener_->on_part(std::move(part));
}

void ServedJob::broke(const std::string& error) {
  listener_->broke(error);
  if (on_broken) on_broken();
}

void ServedJob::on_end(AnswerEnd&& end) {
  used_ += end.prompt_tokens - end.cached_tokens + end.computed_again + end.completion_tokens;
  OrderedJson line = {{"prompt_tokens", end.prompt_tokens},
                      {"completion_tokens", end.completion_tokens},
                      {"finish_reason", name_of(end.reason)}};
  if (keeps_contents_) {
    line["text"] = contents_[end.choice];
    if (!end.verdict.empty()) line["self_consistency"] = OrderedJson::parse(end.verdict);
  }
  call_->answered.push_back(text_of(line));
  listener_->on_end(std::move(end));
}

void time_constraint(Job& job, Histogram& seconds) {
  Constraint& constraint = job.options.constraint;
  if (!constraint) return;
  constraint = [inner = std::move(constraint), &seconds](std::span<const int32_t> answer) {
    const auto began = Clock::now();
    NextTokens next = inner(answer);
    seconds.add(seconds_since(began));
    return next;
  };
}

}  // namespace tinyllm
