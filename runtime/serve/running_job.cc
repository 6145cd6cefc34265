#include <tinyllm/runtime/serve/running_job.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr double kSilenceSeconds = 10;

AnswerEnd::Reason reason_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::end_token:
    case FinishReason::stop_string:
      return AnswerEnd::Reason::stop;
    case FinishReason::max_tokens:
    case FinishReason::context_full:
      return AnswerEnd::Reason::length;
    case FinishReason::cancelled:
      return AnswerEnd::Reason::cancelled;
    case FinishReason::failed:
      return AnswerEnd::Reason::failed;
  }
  return AnswerEnd::Reason::failed;
}

}  // namespace

void deliver(const std::vector<JobEvent>& events) {
  std::vector<std::shared_ptr<JobListener>> broken;
  for (const JobEvent& event : events) {
    if (std::ranges::find(broken, event.listener) != broken.end()) continue;
    try {
      event.tell(*event.listener);
    } catch (const std::exception& error) {
      broken.push_back(event.listener);
      event.listener->broke(error.what());
    }
  }
}

RunningJob::RunningJob(Job job, const Tokenizer& tokenizer, Outbox& outbox)
    : job_(std::move(job)), tokenizer_(tokenizer), outbox_(outbox) {
  if (job_.vote) vote_.emplace(*job_.vote);
  for (const Job::Choice& choice : job_.choices) {
    AnswerText text(job_.stop, job_.looks_for_reasoning, choice.begun, job_.stop_until);
    const size_t reasoning_from = text.reasoning().end, answer_from = text.answer().end;
    answers_.push_back({std::move(text), FilterStream(job_.filter.get()), FilterStream(job_.filter.get()),
                        reasoning_from, answer_from});
  }
  outbox_.push_back({job_.listener, [](JobListener& listener) { listener.began(); }});
}

Request RunningJob::next_request() {
  const size_t i = ids_.size();
  Request request;
  request.prompt = *job_.choices[i].prompt;
  request.options = job_.options;
  if (!job_.begins_prompt(i)) request.options.prompt_log_probs = -1;
  request.options.sampling.seed = job_.choices[i].seed;
  request.group = job_.group;
  request.on_text = [this, i](std::string_view text, const Completion& so_far) { return add(i, text, so_far); };
  request.on_done = [this, i](Completion completion) { end(i, std::move(completion)); };
  if (job_.wants_embedding) {
    request.on_hidden = [&embedding = answers_[i].embedding](std::span<const float> hidden) { embedding.add(hidden); };
  }
  return request;
}

// The log-probabilities of a prompt are computed once: its other answers wait for them. Chains that vote wait until it
// is known that they are needed.
bool RunningJob::may_begin(size_t choice) const {
  if (vote_) return choice < vote_->open();
  return job_.options.prompt_log_probs < 0 || job_.begins_prompt(choice) ||
         prompt_log_probs_.contains(job_.choices[choice].prompt);
}

// Keeps them once the prompt is read, or will not be.
void RunningJob::note_prompt(size_t choice, const Completion& so_far) {
  if (job_.options.prompt_log_probs < 0 || !job_.begins_prompt(choice)) return;
  auto& known = prompt_log_probs_[job_.choices[choice].prompt];
  if (!known) known = std::make_shared<const std::vector<TokenLogProbs>>(so_far.prompt_log_probs);
}

bool RunningJob::add(size_t choice, std::string_view text, const Completion& so_far) {
  Answer& answer = answers_[choice];
  if (answer.has_ended || (vote_ && vote_->has_failed())) return false;
  answer.cached = so_far.cached_tokens;
  const int64_t drawn = std::ssize(so_far.tokens);
  if (on_tokens && drawn > answer.counted) on_tokens(drawn - answer.counted);
  answer.counted = drawn;
  if (drawn > 0) note_prompt(choice, so_far);
  if (answer.goes_on()) send(part_of(choice, text, so_far, false));
  return answer.goes_on();
}

void RunningJob::end(size_t choice, Completion&& completion) {
  ++done_;
  note_prompt(choice, completion);
  Answer& answer = answers_[choice];
  if (answer.has_ended) return;
  if (!answer.is_refused()) send(part_of(choice, "", completion, true));
  AnswerEnd end;
  end.choice = choice;
  end.reason = reason_of(completion.finish_reason);
  if (const std::string* stop = answer.text.stopped_by()) {
    end.reason = AnswerEnd::Reason::stop;
    end.stop_string = *stop;
  }
  if (answer.is_refused()) end.reason = AnswerEnd::Reason::content_filter;
  end.error = completion.error;
  end.end_token = completion.end_token;
  if (job_.wants_tokens && end.stop_string.empty()) end.end_log_probs = std::move(completion.end_log_probs);
  if (job_.wants_embedding) end.embedding = answer.embedding.unit_vector();
  this->end(choice, std::move(end), completion);
}

void RunningJob::end(size_t choice, AnswerEnd&& end, const Completion& completion) {
  Answer& answer = answers_[choice];
  answer.has_ended = true;
  ++ended_;
  end.prompt_tokens = std::ssize(*job_.choices[choice].prompt);
  end.cached_tokens = completion.cached_tokens;
  end.completion_tokens = std::ssize(completion.tokens) + (completion.finish_reason == FinishReason::end_token ? 1 : 0);
  if (answer.text.has_reasoning()) {
    const size_t begun = job_.choices[choice].begun.size();
    const size_t begin = answer.text.answer().begin;  // 0 if the chain of thought did not end.
    end.reasoning_tokens =
        begin == 0 ? std::ssize(completion.tokens)
                   : std::ranges::count_if(completion.offsets, [&](size_t at) { return begun + at < begin; });
  }
  if (on_end) on_end(end, completion);
  if (vote_) return end_chain(std::move(end), completion);
  tell_end(std::move(end));
}

// What a chain said: nothing, if that must not be sent.
SampledChain RunningJob::said_by(const AnswerEnd& end, const Completion& completion) const {
  const Answer& answer = answers_[end.choice];
  SampledChain said{.is_cut_off = end.reason != AnswerEnd::Reason::stop};
  if (end.reason == AnswerEnd::Reason::cancelled || end.reason == AnswerEnd::Reason::failed) return said;
  if (answer.is_refused()) return said;
  const std::string& begun = job_.choices[end.choice].begun;
  said.mean_log_prob = mean_log_prob(completion, job_.calculator, begun);
  said.text = begun + completion.text;
  if (answer.text.stopped_by() != nullptr) said.text.resize(std::min(said.text.size(), answer.text.answer().end));
  return said;
}

// Of chains that vote, the listener hears when the last one has ended.
void RunningJob::end_chain(AnswerEnd&& end, const Completion& completion) {
  const SampledChain said = said_by(end, completion);
  vote_->end(std::move(end), said);
  if (!vote_->has_failed()) {
    last_sent_ = Clock::now();
    outbox_.push_back({job_.listener, [ended = vote_->ended(), samples = vote_->samples()](JobListener& listener) {
                         listener.on_chain(ended, samples);
                       }});
  }
  if (!vote_->is_over(ids_.size())) return;
  // The others are not needed.
  for (Answer& other : answers_) other.has_ended = true;
  ended_ = answers_.size();
  ChainVote::Result result = vote_->result();
  tell_part(std::move(result.part));
  tell_end(std::move(result.end));
}

void RunningJob::tell_end(AnswerEnd&& end) {
  outbox_.push_back(
      {job_.listener, [end = std::move(end)](JobListener& listener) mutable { listener.on_end(std::move(end)); }});
}

void RunningJob::fail(const std::string& error) { abandon(AnswerEnd::Reason::failed, error); }

void RunningJob::abandon(AnswerEnd::Reason reason, const std::string& error) {
  for (size_t i = 0; i < answers_.size(); ++i) {
    if (answers_[i].has_ended) continue;
    AnswerEnd end;
    end.choice = i;
    end.reason = reason;
    end.error = error;
    Completion so_far;
    so_far.tokens.resize(static_cast<size_t>(answers_[i].counted));
    so_far.cached_tokens = answers_[i].cached.value_or(std::ssize(*job_.choices[i].prompt));
    so_far.finish_reason = FinishReason::cancelled;
    this->end(i, std::move(end), so_far);
  }
}

void RunningJob::tell_if_silent() {
  if (seconds_since(last_sent_) < kSilenceSeconds) return;
  last_sent_ = Clock::now();
  outbox_.push_back({job_.listener, [](JobListener& listener) { listener.still_there(); }});
}

AnswerPart RunningJob::part_of(size_t choice, std::string_view text, const Completion& so_far, bool is_last) {
  Answer& answer = answers_[choice];
  const AnswerText::Piece piece = answer.text.add(text, is_last);
  is_last = is_last || answer.text.stopped_by() != nullptr;
  AnswerPart part{choice, {}, {}, {}};
  part.reasoning = answer.reasoning_filter.add(piece.reasoning, is_last || !piece.answer.empty());
  if (!answer.is_refused()) part.answer = answer.answer_filter.add(piece.answer, is_last);
  if (job_.wants_tokens) take_tokens(choice, so_far, is_last && !answer.is_refused(), part.tokens);
  if (answer.is_refused()) part.answer += job_.refusal;
  const auto prompt = prompt_log_probs_.find(job_.choices[choice].prompt);
  if (prompt != prompt_log_probs_.end() && !std::exchange(answer.has_prompt, true))
    part.prompt_log_probs = prompt->second;
  return part;
}

// The tokens whose text is decided, without those of titles and stop strings.
void RunningJob::take_tokens(size_t choice, const Completion& so_far, bool is_last, std::vector<AnswerToken>& out) {
  Answer& answer = answers_[choice];
  const size_t begun = job_.choices[choice].begun.size();  // Places in the text count from the beginning of this.
  // What the filter has not let pass is not decided.
  const AnswerText::Span &thought = answer.text.reasoning(), &said = answer.text.answer();
  const bool in_answer = answer.answer_filter.passed() > 0;
  const size_t passed = in_answer ? std::max(said.begin, answer.answer_from) + answer.answer_filter.passed()
                                  : std::max(thought.begin, answer.reasoning_from) + answer.reasoning_filter.passed();
  const size_t decided = job_.filter ? std::min(answer.text.decided(), passed) : answer.text.decided();
  for (; answer.next_token < so_far.tokens.size(); ++answer.next_token) {
    const size_t i = answer.next_token;
    const size_t begin = begun + so_far.offsets[i];
    const size_t end = begun + (i + 1 < so_far.offsets.size() ? so_far.offsets[i + 1] : so_far.text.size());
    if (!is_last && (end > decided || begin >= decided)) return;
    for (const AnswerText::Span& part : {answer.text.reasoning(), answer.text.answer()}) {
      const size_t from = std::max(begin, part.begin), to = std::min(end, part.end);
      const bool is_whole = from == begin && to == end && (from < to || part.contains(from));
      if (!is_whole && from >= to) continue;
      AnswerToken& token = out.emplace_back();
      token.token = so_far.tokens[i];
      token.bytes = is_whole ? tokenizer_.decode({&token.token, 1}) : so_far.text.substr(from - begun, to - from);
      token.offset = from;
      if (i < so_far.log_probs.size()) token.log_probs = so_far.log_probs[i];
    }
  }
}

void RunningJob::send(AnswerPart&& part) {
  if (vote_) return vote_->add(std::move(part));
  tell_part(std::move(part));
}

void RunningJob::tell_part(AnswerPart&& part) {
  if (part.reasoning.empty() && part.answer.empty() && part.tokens.empty() && !part.prompt_log_probs) return;
  last_sent_ = Clock::now();
  outbox_.push_back(
      {job_.listener, [part = std::move(part)](JobListener& listener) mutable { listener.on_part(std::move(part)); }});
}

}  // namespace tinyllm
