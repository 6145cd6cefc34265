#include <tinyllm/model/text/regex/program.h>

#include <tinyllm/model/text/regex/char_set.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace tinyllm {
namespace {

using Kind = PatternNode::Kind;
using Greed = PatternNode::Greed;
using Op = RegexProgram::Op;

constexpr size_t kMaxInstructions = 20000;
constexpr size_t kMaxSets = 1024;

bool may_be_empty(const PatternNode& node) {
  const auto& children = node.children;
  switch (node.kind) {
    case Kind::set:
      return false;
    case Kind::repeat:
      return node.least == 0 || may_be_empty(children[0]);
    case Kind::choice:
      return std::any_of(children.begin(), children.end(), may_be_empty);
    case Kind::sequence:
    case Kind::atomic:
      return std::all_of(children.begin(), children.end(), may_be_empty);
    default:
      return true;
  }
}

// The first characters of all matches that are not empty.
icu::UnicodeSet first_of(const PatternNode& node) {
  if (node.kind == Kind::set) return node.set;
  icu::UnicodeSet first;
  if (node.kind == Kind::look_ahead || node.kind == Kind::look_behind) return first;
  for (const PatternNode& child : node.children) {
    first.addAll(first_of(child));
    if (node.kind == Kind::sequence && !may_be_empty(child)) break;
  }
  return first;
}

// The number of characters of every match, or nothing if matches differ in length.
std::optional<uint32_t> width_of(const PatternNode& node) {
  uint64_t width = 0;
  switch (node.kind) {
    case Kind::set:
      return 1;
    case Kind::sequence:
    case Kind::atomic:
      for (const PatternNode& child : node.children) {
        const std::optional<uint32_t> part = width_of(child);
        if (!part) return std::nullopt;
        width += *part;
      }
      break;
    case Kind::choice:
      for (const PatternNode& child : node.children) {
        if (width_of(child) != width_of(node.children[0])) return std::nullopt;
      }
      return width_of(node.children[0]);
    case Kind::repeat: {
      const std::optional<uint32_t> part = width_of(node.children[0]);
      if (!part || node.least != node.most) return std::nullopt;
      width = uint64_t{*part} * node.least;
      break;
    }
    default:
      break;
  }
  if (width > kMaxInstructions) return std::nullopt;
  return static_cast<uint32_t>(width);
}

class Compiler {
 public:
  RegexProgram take(const PatternNode& pattern) {
    program_.word_set = set_of(word_characters());
    std::vector<std::pair<const PatternNode*, uint32_t>> starts;
    const auto add = [&](const PatternNode& node) {
      starts.emplace_back(&node, here());
      emit(node);
      push({.op = Op::match});
    };
    if (pattern.kind == Kind::choice) {
      for (const PatternNode& child : pattern.children) add(child);
    } else {
      add(pattern);
    }
    for (uint32_t i = 0; i < here(); ++i) never_shrink(i);
    std::vector<uint32_t> first_sets;
    for (const auto& [node, at] : starts) first_sets.push_back(set_of(first_of(*node)));
    program_.classes = CharClasses(sets_);
    for (size_t i = 0; i < starts.size(); ++i) {
      const auto& [node, at] = starts[i];
      const bool is_empty = may_be_empty(*node);
      if (is_empty) program_.starts_at_end.push_back(at);
      for (size_t c = 0; c < CharClasses::kMaxClasses; ++c) {
        if (is_empty || program_.classes.contains(first_sets[i], static_cast<uint8_t>(c))) {
          program_.starts[c].push_back(at);
        }
      }
    }
    return std::move(program_);
  }

 private:
  uint32_t here() const { return static_cast<uint32_t>(program_.code.size()); }
  RegexProgram::Instruction& at(uint32_t index) { return program_.code[index]; }

  uint32_t push(const RegexProgram::Instruction& instruction) {
    if (program_.code.size() == kMaxInstructions) throw Error("pattern: is too large");
    program_.code.push_back(instruction);
    return here() - 1;
  }

  uint32_t set_of(const icu::UnicodeSet& set) {
    const auto found = std::find(sets_.begin(), sets_.end(), set);
    if (found != sets_.end()) return static_cast<uint32_t>(found - sets_.begin());
    if (sets_.size() == kMaxSets) throw Error("pattern: has more than {} sets of characters", kMaxSets);
    sets_.push_back(set);
    return static_cast<uint32_t>(sets_.size() - 1);
  }

  void emit(const PatternNode& node) {
    switch (node.kind) {
      case Kind::set:
        push({.op = Op::set, .set = set_of(node.set)});
        return;
      case Kind::sequence:
        for (const PatternNode& child : node.children) emit(child);
        return;
      case Kind::choice:
        return emit_choice(node);
      case Kind::repeat:
        return emit_repeat(node);
      case Kind::place:
        push({.op = Op::place, .place = node.place});
        return;
      case Kind::atomic:
        return emit_apart(Op::atomic, node.negated, 0, node.children[0]);
      case Kind::look_ahead:
        return emit_apart(Op::ahead, node.negated, 0, node.children[0]);
      case Kind::look_behind:
        return emit_behind(node);
    }
  }

  // Emits the choice to match `preferred` first.
  uint32_t push_split(const PatternNode& preferred) {
    if (may_be_empty(preferred)) return push({.op = Op::split});
    return push({.op = Op::split, .has_first = true, .set = set_of(first_of(preferred))});
  }

  void emit_choice(const PatternNode& node) {
    std::vector<uint32_t> ends;
    for (size_t i = 0; i < node.children.size(); ++i) {
      const bool is_last = i + 1 == node.children.size();
      const uint32_t split = is_last ? 0 : push_split(node.children[i]);
      if (!is_last) at(split).to = here();
      emit(node.children[i]);
      if (is_last) break;
      ends.push_back(push({.op = Op::jump}));
      at(split).other = here();
    }
    for (const uint32_t end : ends) at(end).to = here();
  }

  void emit_repeat(const PatternNode& node) {
    const PatternNode& child = node.children[0];
    if (child.kind == Kind::set) {
      const Op op = node.greed == Greed::greedy ? Op::run : node.greed == Greed::lazy ? Op::run_lazy : Op::run_all;
      push({.op = op, .set = set_of(child.set), .least = node.least, .most = node.most});
      return;
    }
    if (node.greed == Greed::possessive) {
      PatternNode greedy = node;
      greedy.greed = Greed::greedy;
      return emit_apart(Op::atomic, false, 0, greedy);
    }
    for (uint32_t i = 0; i < node.least; ++i) emit(child);
    const bool is_lazy = node.greed == Greed::lazy;
    const auto option = [&] {  // A split to the code after it or to the end, which `close` fills in.
      const uint32_t split = is_lazy ? push({.op = Op::split}) : push_split(child);
      (is_lazy ? at(split).other : at(split).to) = here();
      return split;
    };
    const auto close = [&](uint32_t split) { (is_lazy ? at(split).to : at(split).other) = here(); };
    if (node.most != PatternNode::kUnbounded) {
      std::vector<uint32_t> splits;
      for (uint32_t i = node.least; i < node.most; ++i) {
        splits.push_back(option());
        emit(child);
      }
      for (const uint32_t split : splits) close(split);
      return;
    }
    const uint32_t split = option();
    const bool needs_progress = may_be_empty(child);
    const uint32_t mark = needs_progress ? program_.marks++ : 0;
    if (needs_progress) push({.op = Op::mark, .other = mark});
    emit(child);
    if (needs_progress) push({.op = Op::progress, .to = here() + 2, .other = mark});
    push({.op = Op::jump, .to = split});
    close(split);
  }

  void emit_apart(Op op, bool negated, uint32_t back, const PatternNode& child) {
    const uint32_t apart = push({.op = op, .negated = negated, .least = back});
    emit(child);
    push({.op = Op::match});
    at(apart).to = here();
  }

  // Each alternative starts at its own distance, so they may differ in length.
  void emit_behind(const PatternNode& node) {
    const PatternNode& child = node.children[0];
    const bool is_choice = child.kind == Kind::choice;
    const size_t count = is_choice ? child.children.size() : 1;
    std::vector<uint32_t> ends;
    for (size_t i = 0; i < count; ++i) {
      const PatternNode& part = is_choice ? child.children[i] : child;
      const std::optional<uint32_t> width = width_of(part);
      if (!width) throw Error("pattern: looks behind at a part of no fixed length");
      // Negated: no alternative may match. Otherwise one must.
      const bool is_option = !node.negated && i + 1 < count;
      const uint32_t split = is_option ? push({.op = Op::split, .to = here() + 1}) : 0;
      emit_apart(Op::behind, node.negated, *width, part);
      if (!is_option) continue;
      ends.push_back(push({.op = Op::jump}));
      at(split).other = here();
    }
    for (const uint32_t end : ends) at(end).to = here();
  }

  // Backtracking into a run is useless if the rest always matches, or if the next character cannot be one of the run's.
  // Such a run becomes `run_all`, which saves the attempts.
  void never_shrink(uint32_t index) {
    RegexProgram::Instruction& run = at(index);
    if (run.op != Op::run) return;
    const RegexProgram::Instruction& next = at(index + 1);
    const bool needs_set = next.op == Op::set || ((next.op == Op::run || next.op == Op::run_all) && next.least > 0);
    const bool is_apart = needs_set && sets_[run.set].containsNone(sets_[next.set]);
    if (is_apart || always_matches(index + 1)) run.op = Op::run_all;
  }

  bool always_matches(uint32_t index, int depth = 0) {
    constexpr int kMaxDepth = 16;
    if (depth == kMaxDepth) return false;
    const RegexProgram::Instruction& instruction = at(index);
    switch (instruction.op) {
      case Op::match:
        return true;
      case Op::run:
      case Op::run_all:
        return instruction.least == 0 && always_matches(index + 1, depth + 1);
      case Op::split:
        return instruction.other > index && always_matches(instruction.other, depth + 1);
      case Op::jump:
        return instruction.to > index && always_matches(instruction.to, depth + 1);
      default:
        return false;
    }
  }

  RegexProgram program_;
  std::vector<icu::UnicodeSet> sets_;
};

}  // namespace

RegexProgram compile_pattern(const PatternNode& pattern) { return Compiler().take(pattern); }

}  // namespace tinyllm
