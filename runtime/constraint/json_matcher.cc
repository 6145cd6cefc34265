#include <tinyllm/runtime/constraint/json_matcher.h>

#include <tinyllm/runtime/constraint/json_closing.h>
#include <tinyllm/runtime/constraint/json_scalars.h>

#include <algorithm>

namespace tinyllm {
namespace {

using Node = JsonGrammar::Node;
using Effect = JsonStack::Effect;

constexpr size_t kMaxStacks = 8;

// Reads a byte into one stack and appends the stacks that come of it to `next`.
class Reader {
 public:
  Reader(const JsonGrammar& grammar, JsonState& next) : grammar_(grammar), next_(next) {}

  void read(std::span<const JsonFrame> stack, unsigned char byte) {
    begin_ = next_.frames.size();
    next_.frames.insert(next_.frames.end(), stack.begin(), stack.end());
    while (true) {
      JsonFrame& top = next_.frames.back();
      const Node& node = grammar_.nodes[top.node];
      if (!is_scalar(node.kind)) break;
      JsonFrame moved = top;
      const ByteEffect effect = read_scalar(node, moved, byte);
      if (effect != ByteEffect::none) {
        top = moved;
        if (effect == ByteEffect::ended) end_child();
        return keep();
      }
      // It may have ended before this byte.
      if (shortest_rest(node, top) != 0) return drop();
      end_child();
    }
    switch (open().read(byte)) {
      case Effect::none:
        return drop();
      case Effect::moved:
        return keep();
      case Effect::ended:
        end_child();
        return keep();
      case Effect::begins_key:
        next_.frames.push_back({.node = grammar_.key_string});
        read_scalar(grammar_.nodes[grammar_.key_string], next_.frames.back(), byte);
        return keep();
      case Effect::begins_value:
        return begin_value(byte);
    }
  }

 private:
  JsonStack open() { return {grammar_, std::span(next_.frames).subspan(begin_)}; }
  void keep() { next_.ends.push_back(next_.frames.size()); }
  void drop() { next_.frames.resize(begin_); }
  void end_child() {
    next_.frames.pop_back();
    open().end_child();
  }

  // One stack for each alternative that begins with this byte.
  void begin_value(unsigned char byte) {
    parents_.assign(next_.frames.begin() + static_cast<std::ptrdiff_t>(begin_), next_.frames.end());
    const uint32_t value = open().wanted_value();
    const auto depth = static_cast<size_t>(open().depth_left());
    drop();
    for (const uint32_t id : grammar_.values[value]) {
      if (grammar_.shortest[id][depth] >= JsonGrammar::kNever) continue;
      begin_ = next_.frames.size();
      next_.frames.insert(next_.frames.end(), parents_.begin(), parents_.end());
      next_.frames.push_back({.node = id});
      const Node& node = grammar_.nodes[id];
      const bool has_begun = is_scalar(node.kind) ? read_scalar(node, next_.frames.back(), byte) != ByteEffect::none
                                                  : open().read(byte) != Effect::none;
      has_begun ? keep() : drop();
    }
  }

  const JsonGrammar& grammar_;
  JsonState& next_;
  size_t begin_ = 0;  // Of the stack in hand.
  std::vector<JsonFrame> parents_;
};

void keep_stacks(JsonState& state, std::span<const size_t> kept) {
  JsonState result;
  for (const size_t i : kept) {
    const std::span<const JsonFrame> stack = state.stack(i);
    result.frames.insert(result.frames.end(), stack.begin(), stack.end());
    result.ends.push_back(result.frames.size());
  }
  state = std::move(result);
}

// Drops stacks that are equal to an earlier one, and of too many those whose shortest closing is longest.
void reduce(const JsonGrammar& grammar, JsonState& state) {
  if (state.stacks() < 2) return;
  std::vector<size_t> kept;
  for (size_t i = 0; i < state.stacks(); ++i) {
    const auto is_equal = [&](size_t other) { return std::ranges::equal(state.stack(i), state.stack(other)); };
    if (std::none_of(kept.begin(), kept.end(), is_equal)) kept.push_back(i);
  }
  if (kept.size() > kMaxStacks) {
    std::stable_sort(kept.begin(), kept.end(), [&](size_t a, size_t b) {
      return shortest_closing(grammar, state.stack(a)) < shortest_closing(grammar, state.stack(b));
    });
    kept.resize(kMaxStacks);
  }
  if (kept.size() < state.stacks()) keep_stacks(state, kept);
}

}  // namespace

JsonState JsonMatcher::begin() const {
  JsonState state;
  const auto add = [&](DocumentPhase phase, size_t part = 0) {
    state.frames.push_back({.at = static_cast<uint32_t>(part), .phase = static_cast<uint16_t>(phase)});
    state.ends.push_back(state.frames.size());
  };
  const std::vector<AnswerForm::FreePart>& parts = grammar_.form.free;
  for (size_t i = 0; i < parts.size(); ++i) {
    add(parts[i].begin.empty() ? DocumentPhase::free : DocumentPhase::title, i);
    // One stack tries all thoughts, and the last part where it is none of them.
    if (parts[i].is_thought) return state;
  }
  const bool may_skip = std::none_of(parts.begin(), parts.end(), [](const auto& part) { return part.begin.empty(); });
  if (may_skip) add(phase_after_free(grammar_.form));
  return state;
}

bool JsonMatcher::read(const JsonState& state, unsigned char byte, JsonState& next) const {
  next.frames.clear();
  next.ends.clear();
  Reader reader(grammar_, next);
  for (size_t i = 0; i < state.stacks(); ++i) reader.read(state.stack(i), byte);
  reduce(grammar_, next);
  return next.stacks() > 0;
}

bool JsonMatcher::is_in_form(const JsonState& state) const { return state.frames.size() == state.stacks(); }

int64_t JsonMatcher::shortest(const JsonState& state) const {
  int64_t least = JsonGrammar::kNever;
  for (size_t i = 0; i < state.stacks(); ++i) least = std::min(least, shortest(state.stack(i)));
  return least;
}

int64_t JsonMatcher::shortest(std::span<const JsonFrame> stack) const { return shortest_closing(grammar_, stack); }

int64_t JsonMatcher::string_room(std::span<const JsonFrame> stack) const {
  const JsonFrame& top = stack.back();
  const Node& node = grammar_.nodes[top.node];
  if (node.kind != JsonGrammar::Kind::string || !is_between_characters(top)) return -1;
  return node.most == JsonGrammar::kUnlimited ? node.most : node.most - top.count;
}

bool JsonMatcher::may_end_string(std::span<const JsonFrame> stack) const {
  return stack.back().count >= grammar_.nodes[stack.back().node].least;
}

}  // namespace tinyllm
