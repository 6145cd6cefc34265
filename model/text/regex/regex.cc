#include <tinyllm/model/text/regex/regex.h>

#include <tinyllm/model/text/regex/program.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm {
namespace {

using Op = RegexProgram::Op;
using Instruction = RegexProgram::Instruction;

// The patterns of well-known models need about ten steps per character of text.
constexpr uint64_t kStepsPerByte = 256;
constexpr uint64_t kMinSteps = uint64_t{1} << 24;
constexpr size_t kMaxStack = size_t{1} << 22;

// Values of Back::kind.
constexpr uint32_t kJump = 0;
constexpr uint32_t kShrink = 1;   // A run may end one character earlier, down to `limit`.
constexpr uint32_t kGrow = 2;     // A lazy run may take one more character, at most `limit` more.
constexpr uint32_t kRestore = 3;  // Sets mark `at` back to `position`.

size_t before(std::string_view text, size_t position) {
  do {
    --position;
  } while (position > 0 && continues_character(text[position]));
  return position;
}

}  // namespace

Regex::Regex(std::string_view pattern)
    : program_(std::make_unique<const RegexProgram>(compile_pattern(parse_pattern(pattern)))) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Regex::Search::Search(const Regex& regex, std::string_view text)
    : program_(*regex.program_),
      text_(text),
      most_steps_(kMinSteps + kStepsPerByte * text.size()),
      marks_(program_.marks) {}

bool Regex::Search::next(Match& match) {
  while (at_ <= text_.size() && find(at_, match)) {
    if (match.begin != match.end || match.end != last_end_) {
      at_ = last_end_ = match.end;
      return true;
    }
    if (at_ == text_.size()) break;
    next_character(text_, at_);
  }
  at_ = text_.size() + 1;
  return false;
}

bool Regex::Search::find(size_t from, Match& match) {
  for (size_t position = from;;) {
    size_t next = position;
    const bool is_end = position == text_.size();
    const std::vector<uint32_t>& starts =
        is_end ? program_.starts_at_end : program_.starts[program_.classes.take_class(text_, next)];
    for (const uint32_t start : starts) {
      const size_t end = match_at(start, position);
      if (end == kNone) continue;
      match = {position, end};
      return true;
    }
    if (is_end) return false;
    count(1);
    position = next;
  }
}

void Regex::Search::count(uint64_t steps) {
  steps_ += steps;
  if (steps_ > most_steps_) {
    throw Error("pattern: takes more than {} steps on a text of {} bytes", steps_, text_.size());
  }
}

void Regex::Search::push(const Back& back) {
  if (stack_.size() == kMaxStack) throw Error("pattern: needs more than {} positions to backtrack to", kMaxStack);
  stack_.push_back(back);
}

// Runs the instructions from `start` up to their `match`. Returns the end of the match, or kNone.
size_t Regex::Search::match_at(uint32_t start, size_t position) {
  const size_t base = stack_.size();
  uint32_t at = start;
  for (;;) {
    const Instruction& instruction = program_.code[at];
    bool matches = true;
    count(1);
    switch (instruction.op) {
      case Op::set:
        matches = program_.classes.take(instruction.set, text_, position);
        ++at;
        break;
      case Op::run:
      case Op::run_lazy:
      case Op::run_all:
        matches = run(at, position);
        break;
      case Op::split:
        if (instruction.has_first && !program_.classes.sees(instruction.set, text_, position)) {
          at = instruction.other;
          break;
        }
        push({instruction.other, kJump, position, 0});
        at = instruction.to;
        break;
      case Op::jump:
        at = instruction.to;
        break;
      case Op::mark:
        push({instruction.other, kRestore, marks_[instruction.other], 0});
        marks_[instruction.other] = position;
        ++at;
        break;
      case Op::progress:
        at = marks_[instruction.other] == position ? instruction.to : at + 1;
        break;
      case Op::atomic:
      case Op::ahead:
      case Op::behind:
        matches = look_apart(at, position);
        break;
      case Op::place:
        matches = is_at(at, position);
        ++at;
        break;
      case Op::match:
        stack_.resize(base);
        return position;
    }
    if (!matches && !go_back(base, at, position)) return kNone;
  }
}

// Backtracks to the last choice that has an untried alternative. Returns false if there is none.
bool Regex::Search::go_back(size_t base, uint32_t& at, size_t& position) {
  while (stack_.size() > base) {
    Back& back = stack_.back();
    if (back.kind == kRestore) {
      marks_[back.at] = back.position;
      stack_.pop_back();
      continue;
    }
    at = back.at;
    position = back.position;
    if (back.kind == kShrink) {
      position = before(text_, position);
      at = back.at + 1;
      back.position = position;
      if (position <= back.limit) stack_.pop_back();
    } else if (back.kind == kGrow) {
      const bool grows = program_.classes.take(program_.code[back.at].set, text_, position);
      at = back.at + 1;
      back.position = position;
      if (!grows || --back.limit == 0) stack_.pop_back();
      if (!grows) continue;
    } else {
      stack_.pop_back();
    }
    return true;
  }
  return false;
}

bool Regex::Search::run(uint32_t& at, size_t& position) {
  const Instruction& instruction = program_.code[at];
  const uint32_t most = instruction.op == Op::run_lazy ? instruction.least : instruction.most;
  uint32_t taken = 0;
  const size_t from = position;
  size_t least_end = position;
  while (taken < most && program_.classes.take(instruction.set, text_, position)) {
    if (++taken == instruction.least) least_end = position;
  }
  count(position - from);
  if (taken < instruction.least) return false;
  if (instruction.op == Op::run && position > least_end) push({at, kShrink, position, least_end});
  if (instruction.op == Op::run_lazy && instruction.most > taken) {
    push({at, kGrow, position, instruction.most == PatternNode::kUnbounded ? SIZE_MAX : instruction.most - taken});
  }
  ++at;
  return true;
}

// Runs a group with its own `match`. The recursion is as deep as such groups are nested in the pattern.
bool Regex::Search::look_apart(uint32_t& at, size_t& position) {
  const Instruction& instruction = program_.code[at];
  size_t from = position;
  bool matches = true;
  for (uint32_t i = 0; i < instruction.least && matches; ++i) {
    matches = from > 0;
    if (matches) from = before(text_, from);
  }
  const size_t end = matches ? match_at(at + 1, from) : kNone;
  at = instruction.to;
  if (instruction.op == Op::atomic && end != kNone) position = end;
  return (end != kNone) != instruction.negated;
}

bool Regex::Search::is_word(size_t position, bool before_it) const {
  if (position == (before_it ? 0 : text_.size())) return false;
  if (before_it) position = before(text_, position);
  return program_.classes.sees(program_.word_set, text_, position);
}

bool Regex::Search::is_at(uint32_t at, size_t position) const {
  using Place = PatternNode::Place;
  const bool is_begin = position == 0;
  const bool is_end = position == text_.size();
  switch (program_.code[at].place) {
    case Place::text_begin:
      return is_begin;
    case Place::text_end:
      return is_end;
    case Place::last_line_end:
      return is_end || (position + 1 == text_.size() && text_.back() == '\n');
    case Place::line_begin:
      return is_begin || (text_[position - 1] == '\n' && !is_end);
    case Place::line_end:
      return is_end || text_[position] == '\n';
    case Place::word_border:
      return is_word(position, true) != is_word(position, false);
    case Place::no_word_border:
      return is_word(position, true) == is_word(position, false);
  }
  return false;
}

}  // namespace tinyllm
