// One way to read a text: the document, and the values that are open in it. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/constraint/json_frame.h>
#include <tinyllm/runtime/constraint/json_grammar.h>

#include <span>

namespace tinyllm {

/// Of a document: in the beginning of a free part, in the rest of it, in the beginning of a choice, before or in its
/// value, after it: in the end or in the text before another choice.
enum class DocumentPhase : uint16_t { title, free, begin, value, end };
/// Of a list and an object. `value` and `key` remain while one is open.
enum class ContainerPhase : uint16_t { before, open, key, colon, value, after, comma };

constexpr bool is_scalar(JsonGrammar::Kind kind) {
  using Kind = JsonGrammar::Kind;
  return kind != Kind::document && kind != Kind::array && kind != Kind::object;
}

/// Lists and objects that may be opened above a frame: there is one frame for each that is open.
constexpr int depth_left_above(size_t frame) { return kMaxAnswerDepth - static_cast<int>(frame); }

/// Where a document goes on after its free part.
inline DocumentPhase phase_after_free(const AnswerForm& form) {
  return form.choices[0].begin.empty() ? DocumentPhase::value : DocumentPhase::begin;
}

/// The value of an item of a list.
inline uint32_t item_of(const JsonGrammar::Node& list, int64_t index) {
  return index < std::ssize(list.values) ? list.values[static_cast<size_t>(index)] : list.rest;
}

/// Visits the properties that may come next in an object, all up to the first that must not be left out, whose key
/// begins with the bytes read: visit(property, bytes read), until it returns false.
template <class Visit>
void visit_keys(const JsonGrammar& grammar, const JsonFrame& frame, int depth_left, Visit visit) {
  const JsonGrammar::Node& object = grammar.nodes[frame.node];
  const bool has_begun = frame.phase == static_cast<uint16_t>(ContainerPhase::key);
  const size_t read = has_begun ? frame.position : 0;
  for (size_t i = has_begun ? frame.at : static_cast<size_t>(frame.count); i < object.words.size(); ++i) {
    const bool is_alike = !has_begun || object.words[i].compare(0, read, object.words[frame.at], 0, read) == 0;
    const bool can_be = is_alike && grammar.shortest_value(object.values[i], depth_left) < JsonGrammar::kNever;
    if ((can_be && !visit(i, read)) || object.required[i]) return;
  }
}

/// Reads bytes into the last frame, which is the document, a list or an object.
class JsonStack {
 public:
  JsonStack(const JsonGrammar& grammar, std::span<JsonFrame> frames) : grammar_(grammar), frames_(frames) {}

  /// What a byte does to it. Of the last two, the byte was not read: it is the first of a value or key above.
  enum class Effect : uint8_t { none, moved, ended, begins_value, begins_key };
  Effect read(unsigned char byte);
  /// The value or the key that was open above the last frame has ended.
  void end_child();
  /// The value that the last frame wants.
  uint32_t wanted_value() const;
  int depth_left() const { return depth_left_above(frames_.size() - 1); }

 private:
  using Node = JsonGrammar::Node;
  JsonFrame& top() { return frames_.back(); }
  const JsonFrame& top() const { return frames_.back(); }
  const Node& node() const { return grammar_.nodes[top().node]; }

  Effect read_document(unsigned char byte);
  void read_free(unsigned char byte);
  void begin_last_part();
  bool begins_thought(unsigned char byte);
  Effect read_array(unsigned char byte);
  Effect read_object(unsigned char byte);
  Effect read_key(unsigned char byte);
  bool read_space(unsigned char byte);
  bool may_have_item() const;
  bool may_have_key() const;
  bool may_close_object() const;

  const JsonGrammar& grammar_;
  std::span<JsonFrame> frames_;
};

}  // namespace tinyllm
