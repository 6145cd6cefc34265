#include <tinyllm/runtime/constraint/json_closing.h>

#include <tinyllm/runtime/constraint/json_scalars.h>

#include <algorithm>

namespace tinyllm {
namespace {

using Node = JsonGrammar::Node;
using Kind = JsonGrammar::Kind;
constexpr int64_t kNever = JsonGrammar::kNever;

// In each of these, `has_child` says that a value or key above the frame is open; what it needs is not counted.

int64_t rest_of_document(const JsonGrammar& grammar, const JsonFrame& frame, bool has_child) {
  const Node& node = grammar.nodes[frame.node];
  const auto value = [&](size_t i) { return grammar.shortest_value(node.values[i], kMaxAnswerDepth); };
  const int64_t end = std::ssize(grammar.form.end);
  const auto phase = static_cast<DocumentPhase>(frame.phase);
  if (phase == DocumentPhase::end) {
    if (frame.position <= end) return end - frame.position;
    const JsonFrame another{.phase = static_cast<uint16_t>(DocumentPhase::begin)};
    return end + std::ssize(grammar.form.again) - frame.position + rest_of_document(grammar, another, false);
  }
  if (has_child) return end;
  if (phase == DocumentPhase::value) return value(frame.at) + end;
  if (phase == DocumentPhase::title || phase == DocumentPhase::free) {
    const AnswerForm::FreePart& part = grammar.form.free[frame.at];
    const bool is_title = phase == DocumentPhase::title;
    const int64_t title = is_title ? std::ssize(part.begin) - frame.position : 0;
    if (grammar.form.may_end_in_free) return part.is_thought ? 0 : title;
    const JsonFrame after{.phase = static_cast<uint16_t>(phase_after_free(grammar.form))};
    const int64_t until = std::ssize(part.until) - (is_title ? 0 : frame.position);
    return title + until + rest_of_document(grammar, after, false);
  }
  const size_t read = frame.position;
  int64_t shortest = kNever;
  for (size_t i = frame.at; i < node.words.size(); ++i) {
    if (node.words[i].compare(0, read, node.words[frame.at], 0, read) != 0) continue;
    shortest = std::min(shortest, static_cast<int64_t>(node.words[i].size() - read) + value(i));
  }
  return shortest + end;
}

int64_t rest_of_array(const JsonGrammar& grammar, const JsonFrame& frame, int depth_left, bool has_child) {
  const Node& list = grammar.nodes[frame.node];
  const auto phase = static_cast<ContainerPhase>(frame.phase);
  int64_t index = frame.count + (has_child ? 1 : 0);
  int64_t size = phase == ContainerPhase::before ? 2 : 1;
  bool needs_comma = has_child || phase == ContainerPhase::after;
  const int64_t until = std::max(list.least, phase == ContainerPhase::comma ? index + 1 : 0);
  for (; index < until && size < kNever; ++index) {
    const int64_t each = grammar.shortest_value(item_of(list, index), depth_left);
    if (index >= std::ssize(list.values)) {
      const int64_t items = until - index;
      return std::min(kNever, size + items * each + items - (needs_comma ? 0 : 1));
    }
    size += each + (needs_comma ? 1 : 0);
    needs_comma = true;
  }
  return std::min(kNever, size);
}

// All required properties from `next` on and the end of the object.
int64_t rest_of_properties(const JsonGrammar& grammar, const Node& object, size_t next, int depth_left,
                           bool needs_comma) {
  int64_t size = 1;
  for (size_t i = next; i < object.words.size(); ++i) {
    if (!object.required[i]) continue;
    size += (needs_comma ? 1 : 0) + std::ssize(object.words[i]) + 1;
    size = std::min(kNever, size + grammar.shortest_value(object.values[i], depth_left));
    needs_comma = true;
  }
  return size;
}

int64_t rest_of_map(const JsonGrammar& grammar, const JsonFrame& frame, int depth_left, bool has_child) {
  const int64_t value = grammar.shortest_value(grammar.nodes[frame.node].rest, depth_left);
  switch (static_cast<ContainerPhase>(frame.phase)) {
    case ContainerPhase::before:
      return 2;
    case ContainerPhase::comma:
      return 2 + 1 + value + 1;
    case ContainerPhase::key:
    case ContainerPhase::colon:
      return 1 + value + 1;
    case ContainerPhase::value:
      return (has_child ? 0 : value) + 1;
    default:
      return 1;
  }
}

int64_t rest_of_object(const JsonGrammar& grammar, const JsonFrame& frame, int depth_left, bool has_child) {
  const Node& object = grammar.nodes[frame.node];
  if (object.rest != JsonGrammar::kNone) return rest_of_map(grammar, frame, depth_left, has_child);
  const auto phase = static_cast<ContainerPhase>(frame.phase);
  const auto rest = [&](size_t next, bool needs_comma) {
    return rest_of_properties(grammar, object, next, depth_left, needs_comma);
  };
  switch (phase) {
    case ContainerPhase::before:
      return 1 + rest(0, false);
    case ContainerPhase::open:
      return rest(0, false);
    case ContainerPhase::comma:
    case ContainerPhase::key: {
      int64_t shortest = kNever;
      visit_keys(grammar, frame, depth_left, [&](size_t i, size_t read) {
        const int64_t key = std::ssize(object.words[i]) - static_cast<int64_t>(read) + 1;
        shortest = std::min(shortest, key + grammar.shortest_value(object.values[i], depth_left) + rest(i + 1, true));
        return true;
      });
      return shortest;
    }
    case ContainerPhase::colon:
    case ContainerPhase::value: {
      const int64_t value = has_child ? 0 : grammar.shortest_value(object.values[frame.at], depth_left);
      return (phase == ContainerPhase::colon ? 1 : 0) + value + rest(frame.at + size_t{1}, true);
    }
    default:
      return rest(static_cast<size_t>(frame.count), true);
  }
}

}  // namespace

int64_t shortest_closing(const JsonGrammar& grammar, std::span<const JsonFrame> stack) {
  int64_t total = 0;
  for (size_t i = 0; i < stack.size(); ++i) {
    const JsonFrame& frame = stack[i];
    const Node& node = grammar.nodes[frame.node];
    const bool has_child = i + 1 < stack.size();
    switch (node.kind) {
      case Kind::document:
        total += rest_of_document(grammar, frame, has_child);
        break;
      case Kind::array:
        total += rest_of_array(grammar, frame, depth_left_above(i), has_child);
        break;
      case Kind::object:
        total += rest_of_object(grammar, frame, depth_left_above(i), has_child);
        break;
      default:
        total += shortest_rest(node, frame);
    }
  }
  return std::min(kNever, total);
}

}  // namespace tinyllm
