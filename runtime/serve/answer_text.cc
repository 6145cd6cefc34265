#include <tinyllm/runtime/serve/answer_text.h>

#include <algorithm>

namespace tinyllm {
namespace {

size_t skip_line_feeds(std::string_view text, size_t at) {
  while (at < text.size() && text[at] == '\n') ++at;
  return at;
}

// The end of text[begin, end) without line feeds at its end.
size_t without_line_feeds(std::string_view text, size_t begin, size_t end) {
  while (end > begin && text[end - 1] == '\n') --end;
  return end;
}

// Where the longest end of a text begins that `word` may begin with.
size_t begin_of_word(std::string_view text, std::string_view word) {
  for (size_t length = std::min(text.size(), word.size() - 1); length > 0; --length) {
    if (word.starts_with(text.substr(text.size() - length))) return text.size() - length;
  }
  return text.size();
}

}  // namespace

std::span<const AnswerText::Style> AnswerText::styles() {
  static constexpr Style kStyles[] = {{"【推理过程】\n", "【最终答案】\n", true}, {"<think>", "</think>", false}};
  return kStyles;
}

AnswerText::AnswerText(std::vector<std::string> stop, bool looks_for_reasoning, std::string_view begun,
                       std::string stop_until)
    : stop_(std::move(stop)),
      stop_until_(std::move(stop_until)),
      state_(looks_for_reasoning ? State::begin : State::answer) {
  add(begun, false);
}

AnswerText::Piece AnswerText::add(std::string_view text, bool is_last) {
  text_ += text;
  Piece piece;
  if (state_ == State::begin) look_for_title(is_last);
  if (state_ == State::reasoning) add_reasoning(is_last, piece.reasoning);
  if (state_ == State::answer) add_answer(is_last, piece.answer);
  return piece;
}

size_t AnswerText::decided() const {
  switch (state_) {
    case State::begin:
      return 0;
    case State::reasoning:
      return reasoning_.end;
    default:
      return stop_.found() != nullptr ? text_.size() : answer_.end;
  }
}

void AnswerText::look_for_title(bool is_last) {
  const size_t begin = skip_line_feeds(text_, 0);
  const std::string_view rest = std::string_view(text_).substr(begin);
  for (const Style& style : styles()) {
    if (rest.starts_with(style.title)) {
      style_ = &style;
      state_ = State::reasoning;
      reasoning_ = {begin + style.title.size(), begin + style.title.size()};
      return;
    }
    if (!is_last && style.title.starts_with(rest)) return;
  }
  state_ = State::answer;
}

void AnswerText::add_reasoning(bool is_last, std::string& out) {
  if (reasoning_.begin == reasoning_.end) {
    reasoning_.begin = reasoning_.end = skip_line_feeds(text_, reasoning_.begin);
  }
  const size_t found = text_.find(style_->end, reasoning_.end);
  size_t end = std::min(found, text_.size());
  if (found == std::string::npos && !is_last) end = std::max(reasoning_.end, begin_of_word(text_, style_->end));
  end = without_line_feeds(text_, reasoning_.end, end);
  out = text_.substr(reasoning_.end, end - reasoning_.end);
  reasoning_.end = end;
  if (found == std::string::npos) return;
  state_ = State::answer;
  read_ = found + style_->end.size();
  answer_ = {read_, read_};
}

// Up to where the text may hold a stop string. Clears `may_stop_` where `stop_until_` begins.
size_t AnswerText::end_of_stopping(bool is_last) {
  if (stop_until_.empty()) return text_.size();
  const size_t found = text_.find(stop_until_, read_);
  may_stop_ = found == std::string::npos;
  if (!may_stop_) return found;
  return is_last ? text_.size() : std::max(read_, begin_of_word(text_, stop_until_));
}

void AnswerText::add_answer(bool is_last, std::string& out) {
  if (style_ != nullptr && answer_.begin == read_) {
    read_ = skip_line_feeds(text_, read_);
    answer_ = {read_, read_};
  }
  certain_ = std::max(certain_, answer_.begin);
  if (may_stop_) {
    const size_t end = end_of_stopping(is_last);
    certain_ += stop_.add(std::string_view(text_).substr(read_, end - read_)).size();
    read_ = end;
    if (is_last || !may_stop_) certain_ += stop_.finish().size();
  }
  if (!may_stop_ && stop_.found() == nullptr) certain_ = read_ = text_.size();
  const size_t end = style_ != nullptr ? without_line_feeds(text_, answer_.end, certain_) : certain_;
  out = text_.substr(answer_.end, end - answer_.end);
  answer_.end = end;
}

}  // namespace tinyllm
