#include <tinyllm/runtime/constraint/json_stack.h>

#include <tinyllm/runtime/constraint/json_scalars.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr int64_t kNever = JsonGrammar::kNever;
constexpr int kMaxBlanks = 20;  // After a line feed.

template <class Phase>
void go_to(JsonFrame& frame, Phase phase) {
  frame.phase = static_cast<uint16_t>(phase);
  frame.space = 0;
}

bool is_at(const std::string& text, size_t at, unsigned char byte) {
  return at < text.size() && static_cast<unsigned char>(text[at]) == byte;
}

}  // namespace

using Effect = JsonStack::Effect;

Effect JsonStack::read(unsigned char byte) {
  switch (node().kind) {
    case JsonGrammar::Kind::document:
      return read_document(byte);
    case JsonGrammar::Kind::array:
      return read_array(byte);
    default:
      return read_object(byte);
  }
}

uint32_t JsonStack::wanted_value() const {
  if (node().kind == JsonGrammar::Kind::array) return item_of(node(), top().count);
  return node().rest != JsonGrammar::kNone ? node().rest : node().values[top().at];
}

// Looks for the last text of a free part.
void JsonStack::read_free(unsigned char byte) {
  JsonFrame& frame = top();
  const AnswerForm& form = grammar_.form;
  const AnswerForm::FreePart& part = form.free[frame.at];
  while (frame.position > 0 && !is_at(part.until, frame.position, byte)) {
    frame.position = grammar_.failure[frame.at][frame.position - 1];
  }
  if (is_at(part.until, frame.position, byte)) ++frame.position;
  if (frame.position < part.until.size()) return;
  if (part.is_thought) return begin_last_part();
  frame = {.phase = static_cast<uint16_t>(phase_after_free(form)), .space = part.line_feeds};
}

void JsonStack::begin_last_part() {
  top() = {.at = static_cast<uint32_t>(grammar_.form.free.size() - 1),
           .phase = static_cast<uint16_t>(DocumentPhase::free)};
}

// Whether a byte goes on with the title of a thought. If not, it was read: what has come so far belongs to the last
// part, or is a line feed before a title.
bool JsonStack::begins_thought(unsigned char byte) {
  JsonFrame& frame = top();
  if (frame.position == 0 && byte == '\n') return false;
  const std::vector<AnswerForm::FreePart>& parts = grammar_.form.free;
  const std::string read = parts[frame.at].begin.substr(0, frame.position);
  const auto goes_on = [&](const AnswerForm::FreePart& part) {
    return part.is_thought && part.begin.starts_with(read) && is_at(part.begin, read.size(), byte);
  };
  if (const auto part = std::ranges::find_if(parts, goes_on); part != parts.end()) {
    frame.at = static_cast<uint32_t>(part - parts.begin());
    return true;
  }
  begin_last_part();
  for (const char before : read) read_free(static_cast<unsigned char>(before));
  read_free(byte);
  return false;
}

Effect JsonStack::read_document(unsigned char byte) {
  JsonFrame& frame = top();
  const AnswerForm& form = grammar_.form;
  switch (static_cast<DocumentPhase>(frame.phase)) {
    case DocumentPhase::title: {
      if (form.free[frame.at].is_thought && !begins_thought(byte)) return Effect::moved;
      const std::string& title = form.free[frame.at].begin;
      if (!is_at(title, frame.position, byte)) return Effect::none;
      if (++frame.position == title.size()) {
        frame.position = 0;
        go_to(frame, DocumentPhase::free);
      }
      return Effect::moved;
    }
    case DocumentPhase::free:
      read_free(byte);
      return Effect::moved;
    case DocumentPhase::begin: {
      if (byte == '\n' && frame.space > 0) {
        --frame.space;
        return Effect::moved;
      }
      if (read_scalar(node(), frame, byte) == ByteEffect::none) return Effect::none;
      const bool is_whole = frame.position == node().words[frame.at].size();
      go_to(frame, is_whole ? DocumentPhase::value : DocumentPhase::begin);
      return Effect::moved;
    }
    case DocumentPhase::value:
      if (byte == '\n' && frame.space > 0) {
        --frame.space;
        return Effect::moved;
      }
      go_to(frame, DocumentPhase::value);
      return Effect::begins_value;
    default: {
      const size_t end = form.end.size();
      const bool is_end = frame.position < end;
      if (!is_at(is_end ? form.end : form.again, frame.position - (is_end ? 0 : end), byte)) return Effect::none;
      if (++frame.position == end + form.again.size() && !form.again.empty()) {
        frame = {.phase = static_cast<uint16_t>(DocumentPhase::begin)};
      }
      return Effect::moved;
    }
  }
}

bool JsonStack::may_have_item() const {
  return top().count < node().most && grammar_.shortest_value(item_of(node(), top().count), depth_left()) < kNever;
}

Effect JsonStack::read_array(unsigned char byte) {
  JsonFrame& frame = top();
  const auto phase = static_cast<ContainerPhase>(frame.phase);
  const bool may_close = frame.count >= node().least && phase != ContainerPhase::comma;
  switch (phase) {
    case ContainerPhase::before:
      if (byte != '[') return Effect::none;
      go_to(frame, ContainerPhase::open);
      return Effect::moved;
    case ContainerPhase::open:
    case ContainerPhase::comma:
      if (byte == ']') return may_close ? Effect::ended : Effect::none;
      if (read_space(byte)) return Effect::moved;
      if (!may_have_item()) return Effect::none;
      go_to(frame, ContainerPhase::value);
      return Effect::begins_value;
    default:
      if (byte == ']') return may_close ? Effect::ended : Effect::none;
      if (may_close && read_space(byte)) return Effect::moved;
      if (byte != ',' || frame.space != 0 || !may_have_item()) return Effect::none;
      go_to(frame, ContainerPhase::comma);
      return Effect::moved;
  }
}

bool JsonStack::may_have_key() const {
  if (node().rest != JsonGrammar::kNone) return grammar_.shortest_value(node().rest, depth_left()) < kNever;
  bool found = false;
  visit_keys(grammar_, top(), depth_left(), [&](size_t, size_t) {
    found = true;
    return false;
  });
  return found;
}

bool JsonStack::may_close_object() const {
  const std::vector<bool>& required = node().required;
  return std::find(required.begin() + top().count, required.end(), true) == required.end();
}

Effect JsonStack::read_key(unsigned char byte) {
  JsonFrame& frame = top();
  if (node().rest != JsonGrammar::kNone) {
    if (byte != '"' || !may_have_key()) return Effect::none;
    go_to(frame, ContainerPhase::key);
    return Effect::begins_key;
  }
  Effect effect = Effect::none;
  visit_keys(grammar_, JsonFrame(frame), depth_left(), [&](size_t i, size_t read) {
    const std::string& key = node().words[i];
    if (!is_at(key, read, byte)) return true;
    frame.at = static_cast<uint32_t>(i);
    frame.position = static_cast<uint32_t>(read + 1);
    go_to(frame, frame.position == key.size() ? ContainerPhase::colon : ContainerPhase::key);
    effect = Effect::moved;
    return false;
  });
  return effect;
}

Effect JsonStack::read_object(unsigned char byte) {
  JsonFrame& frame = top();
  const auto phase = static_cast<ContainerPhase>(frame.phase);
  switch (phase) {
    case ContainerPhase::before:
      if (byte != '{') return Effect::none;
      go_to(frame, ContainerPhase::open);
      return Effect::moved;
    case ContainerPhase::open:
    case ContainerPhase::comma:
      if (byte == '}') return phase == ContainerPhase::open && may_close_object() ? Effect::ended : Effect::none;
      return read_space(byte) ? Effect::moved : read_key(byte);
    case ContainerPhase::key:
      return read_key(byte);
    case ContainerPhase::colon:
      if (byte != ':') return Effect::none;
      frame.position = 0;
      go_to(frame, ContainerPhase::value);
      return Effect::moved;
    case ContainerPhase::value:
      if (read_space(byte)) return Effect::moved;
      frame.space = 0;
      return Effect::begins_value;
    default:
      if (byte == '}') return may_close_object() ? Effect::ended : Effect::none;
      if (may_close_object() && read_space(byte)) return Effect::moved;
      if (byte != ',' || frame.space != 0 || !may_have_key()) return Effect::none;
      go_to(frame, ContainerPhase::comma);
      return Effect::moved;
  }
}

// Little white space, so that an answer does not go on with it up to its limit.
bool JsonStack::read_space(unsigned char byte) {
  JsonFrame& frame = top();
  if (byte == '\n' && frame.space == 0) {
    frame.space = 2;
    return true;
  }
  if (byte != ' ' || frame.space == 1 || frame.space >= 2 + kMaxBlanks) return false;
  frame.space = static_cast<uint16_t>(frame.space == 0 ? 1 : frame.space + 1);
  return true;
}

void JsonStack::end_child() {
  JsonFrame& frame = top();
  switch (node().kind) {
    case JsonGrammar::Kind::document:
      frame = {};
      go_to(frame, DocumentPhase::end);
      break;
    case JsonGrammar::Kind::array:
      go_to(frame, ContainerPhase::after);
      // Without an upper bound, more than the lower bound makes no difference.
      if (node().most != JsonGrammar::kUnlimited || frame.count < std::max(node().least, std::ssize(node().values))) {
        ++frame.count;
      }
      break;
    default:
      if (static_cast<ContainerPhase>(frame.phase) == ContainerPhase::key) {
        go_to(frame, ContainerPhase::colon);
        break;
      }
      go_to(frame, ContainerPhase::after);
      if (node().rest == JsonGrammar::kNone) frame.count = frame.at + int64_t{1};
      frame.at = 0;
  }
}

}  // namespace tinyllm
