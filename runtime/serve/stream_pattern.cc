#include <tinyllm/runtime/serve/stream_pattern.h>

#include <tinyllm/model/text/regex/pattern.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr size_t kMaxSteps = 4096;
constexpr size_t kMaxLinks = 1 << 18;

void append(std::vector<uint32_t>& to, const std::vector<uint32_t>& more) {
  for (const uint32_t step : more) {
    if (std::ranges::find(to, step) == to.end()) to.push_back(step);
  }
}

}  // namespace

// Each set of the pattern is a step (Glushkov's construction, as there is nothing between two characters).
StreamPattern::StreamPattern(std::string_view pattern) {
  const Part whole = add(parse_pattern(pattern));
  if (whole.may_be_empty) throw Error("pattern: matches the empty text, which is everywhere");
  begins_ = whole.begins;
  for (const uint32_t end : whole.ends) steps_[end].is_end = true;
}

StreamPattern::Part StreamPattern::add(const PatternNode& node) {
  using Kind = PatternNode::Kind;
  Part part;
  switch (node.kind) {
    case Kind::set:
      if (steps_.size() == kMaxSteps) throw Error("pattern: more than {} steps", kMaxSteps);
      steps_.push_back({node.set, {}, false});
      steps_.back().set.freeze();
      return {{static_cast<uint32_t>(steps_.size() - 1)}, {static_cast<uint32_t>(steps_.size() - 1)}, false};
    case Kind::sequence:
      for (const PatternNode& child : node.children) part = sequence(std::move(part), add(child));
      return part;
    case Kind::choice:
      part.may_be_empty = false;
      for (const PatternNode& child : node.children) {
        const Part one = add(child);
        append(part.begins, one.begins);
        append(part.ends, one.ends);
        part.may_be_empty = part.may_be_empty || one.may_be_empty;
      }
      return part;
    case Kind::repeat:
      if (node.greed == PatternNode::Greed::possessive) break;
      return repeated(node);
    default:
      break;
  }
  throw Error("pattern: looks around, or has an atomic group, which a filter does not support");
}

StreamPattern::Part StreamPattern::sequence(Part first, const Part& second) {
  size_t links = 0;
  for (const uint32_t end : first.ends) append(steps_[end].next, second.begins);
  for (const Step& step : steps_) links += step.next.size();
  if (links > kMaxLinks) throw Error("pattern: more than {} links between its steps", kMaxLinks);
  if (first.may_be_empty) append(first.begins, second.begins);
  if (!second.may_be_empty) first.ends.clear();
  append(first.ends, second.ends);
  first.may_be_empty = first.may_be_empty && second.may_be_empty;
  return first;
}

// The child as often as it must be there, then as often as it may.
StreamPattern::Part StreamPattern::repeated(const PatternNode& node) {
  const PatternNode& child = node.children[0];
  const bool is_unbounded = node.most == PatternNode::kUnbounded;
  Part part;
  // More of them than a match has characters make no difference.
  const uint32_t least = std::min(node.least, kMaxMatch), most = is_unbounded ? 0 : std::min(node.most, kMaxMatch);
  Part last;
  for (uint32_t i = 0; i < least; ++i) part = sequence(std::move(part), last = add(child));
  if (is_unbounded) {
    if (least == 0) last = add(child);
    for (const uint32_t end : last.ends) append(steps_[end].next, last.begins);
    if (least > 0) return part;
    last.may_be_empty = true;
    return last;
  }
  for (uint32_t i = least; i < most; ++i) {
    Part more = add(child);
    more.may_be_empty = true;
    part = sequence(std::move(part), more);
  }
  return part;
}

uint32_t StreamPattern::take(State& state, char32_t c) const {
  State after(steps_.size());
  uint32_t match = 0;
  const auto enter = [&](uint32_t step, uint32_t taken) {
    if (after[step] >= taken || !steps_[step].set.contains(static_cast<UChar32>(c))) return;
    after[step] = static_cast<uint16_t>(taken);
    if (steps_[step].is_end) match = std::max(match, taken);
  };
  for (uint32_t i = 0; i < state.size(); ++i) {
    if (state[i] == 0) continue;
    for (const uint32_t next : steps_[i].next) enter(next, std::min(state[i] + 1u, kMaxMatch));
  }
  for (const uint32_t begin : begins_) enter(begin, 1);
  state = std::move(after);
  return match;
}

uint32_t StreamPattern::longest(const State& state) {
  return state.empty() ? 0 : *std::max_element(state.begin(), state.end());
}

}  // namespace tinyllm
