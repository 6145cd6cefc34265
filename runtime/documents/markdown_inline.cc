#include <tinyllm/runtime/documents/byte_set.h>
#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/entity.h>
#include <tinyllm/runtime/documents/markdown_inline.h>
#include <tinyllm/runtime/documents/markdown_search.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace tinyllm::documents {
namespace {

constexpr size_t kNone = std::string_view::npos;

// A line whose marks are found one kind after the other, and left out when it is written.
class Line {
 public:
  explicit Line(std::string_view line) : line_(line), use_(line.size(), Use::text) {}

  void find_code();
  void find_escapes();
  void find_mixed_marks();
  void find_links(const std::set<std::string, std::less<>>& labels);
  void find_emphasis();
  void write(std::string& text) const;

 private:
  enum class Use : char { text, verbatim, mark };

  struct Run {  // Marks of emphasis in a row.
    char mark;
    size_t at;
    size_t size;
  };

  char before(size_t i) const { return i == 0 ? ' ' : line_[i - 1]; }
  char at(size_t i) const { return i >= line_.size() ? ' ' : line_[i]; }
  void set(size_t from, size_t to, Use use) {
    std::fill(use_.begin() + static_cast<std::ptrdiff_t>(from), use_.begin() + static_cast<std::ptrdiff_t>(to), use);
  }

  std::vector<size_t> brackets(std::string_view pair, bool in_code) const;
  bool has_address(size_t from, size_t to);
  bool is_call(size_t bracket, size_t parenthesis, size_t end);
  bool is_identifier(size_t from, size_t to) const;

  std::string_view line_;
  std::vector<Use> use_;
  size_t words_from_ = 0;  // Without an address,
  size_t words_to_ = 0;    // up to here.
};

void Line::find_code() {
  CodeSpans spans(line_);
  for (size_t i = 0; (i = line_.find('`', i)) != kNone;) {
    const size_t size = spans.run_size(i);
    const size_t words = i + size;
    const size_t end = spans.find(words, size);
    if (end != kNone) {
      set(i, words, Use::mark);
      set(words, end, Use::verbatim);
      set(end, end + size, Use::mark);
    }
    i = end == kNone ? words : end + size;
  }
}

void Line::find_escapes() {
  for (size_t i = 0; (i = line_.find('\\', i)) != kNone; ++i) {
    if (use_[i] != Use::text || std::string_view("*_`#<>|~").find(at(i + 1)) == kNone) continue;
    use_[i] = Use::mark;
    use_[++i] = Use::verbatim;
  }
}

// "**\*\*word\*\***", as converters from other formats write it, is bold twice over.
void Line::find_mixed_marks() {
  for (size_t i = 0; (i = line_.find("\\*", i)) != kNone;) {
    size_t begin = i;
    while (begin > 0 && line_[begin - 1] == '*' && use_[begin - 1] == Use::text) --begin;
    size_t end = i;
    bool is_mixed = begin < i;
    for (; end < line_.size() && use_[end] != Use::verbatim; ++end) {
      if (line_[end] == '\\' && at(end + 1) == '*') {
        ++end;
      } else if (line_[end] == '*') {
        is_mixed = true;
      } else {
        break;
      }
    }
    if (is_mixed) set(begin, end, Use::mark);
    i = std::max(end, i + 1);
  }
}

// For each opening bracket, the position of the closing one. `pair` holds both characters.
std::vector<size_t> Line::brackets(std::string_view pair, bool in_code) const {
  const ByteSet either(pair);
  std::vector<size_t> closing(line_.size(), kNone);
  std::vector<size_t> open;
  for (size_t i = 0; (i = either.find(line_, i)) < line_.size(); ++i) {
    if (!in_code && use_[i] != Use::text) continue;
    if (line_[i] == pair[0]) {
      open.push_back(i);
    } else if (!open.empty()) {
      closing[open.back()] = i;
      open.pop_back();
    }
  }
  return closing;
}

// Whether the target of a link looks like an address. Targets within one that does not are not searched again.
bool Line::has_address(size_t from, size_t to) {
  if (from >= words_from_ && to <= words_to_) return false;
  constexpr ByteSet kMarks("/.#");
  const size_t found = kMarks.find(line_.substr(0, to), from);
  detail::bytes_searched += static_cast<int64_t>(found - from);
  if (found < to) return true;
  words_from_ = from;
  words_to_ = to;
  return false;
}

// "f[i](x)" is a link to nothing: it comes after a name, and its target is not an address.
bool Line::is_call(size_t bracket, size_t parenthesis, size_t end) {
  const char c = before(bracket);
  const bool has_name = is_ascii_alphanumeric(c) || c == '_' || c == ']' || c == ')';
  return has_name && !has_address(parenthesis, end);
}

void Line::find_links(const std::set<std::string, std::less<>>& labels) {
  if (line_.find('[') == kNone) return;
  const std::vector<size_t> closing = brackets("[]", false);
  const bool has_targets = line_.find("](") != kNone;
  const std::vector<size_t> parentheses = has_targets ? brackets("()", true) : std::vector<size_t>();
  const auto is_label = [&](size_t from, size_t to) {
    const std::string_view label = line_.substr(from, to - from);
    if (labels.empty() || label.find('[') != kNone) return false;  // Nested ones are not read again and again.
    detail::bytes_searched += std::ssize(label);
    return labels.contains(lower_case(label));
  };
  for (size_t i = 0; (i = line_.find('[', i)) != kNone; ++i) {
    if (use_[i] != Use::text || closing[i] == kNone) continue;
    const size_t close = closing[i];
    const bool is_image = before(i) == '!' && use_[i - 1] == Use::text;
    size_t end = kNone;  // Of the link.
    if (at(i + 1) == '^') {
      set(i, close + 1, Use::mark);
    } else if (at(close + 1) == '(') {
      constexpr size_t kLongest = 2048;
      const size_t last = parentheses[close + 1];
      const bool is_target = last != kNone && last - close <= kLongest && (is_image || !is_call(i, close + 1, last));
      if (is_target) end = last + 1;
    } else if (at(close + 1) == '[' && closing[close + 1] != kNone) {
      const size_t last = closing[close + 1];
      const bool is_short = last == close + 2;
      if (is_image || (is_short ? is_label(i + 1, close) : is_label(close + 2, last))) end = last + 1;
    } else if (is_label(i + 1, close)) {
      end = close + 1;
    }
    if (end == kNone) continue;
    if (is_image) {
      set(i - 1, end, Use::mark);
      i = end - 1;
    } else {
      use_[i] = Use::mark;
      set(close, end, Use::mark);
    }
  }
}

bool Line::is_identifier(size_t from, size_t to) const {
  const std::string_view words = line_.substr(from, to - from);
  return std::all_of(words.begin(), words.end(), [](char c) { return is_ascii_alphanumeric(c) || c == '_'; });
}

// A mark opens before a word and closes after one, with its back to a blank, to punctuation, or to Chinese, which has
// no blanks: not in "a*b*c", nor in the formulas of TeX.
void Line::find_emphasis() {
  const auto is_outside = [](char c, std::string_view punctuation) {
    return c == ' ' || c == '\t' || (c & 0x80) != 0 || punctuation.find(c) != kNone;
  };
  std::vector<Run> open;
  constexpr ByteSet kMarks("*_~");
  for (size_t i = 0; (i = kMarks.find(line_, i)) < line_.size();) {
    const Run run{line_[i], i, std::min(line_.find_first_not_of(line_[i], i), line_.size()) - i};
    i += run.size;
    if (use_[run.at] != Use::text || run.size > 4 || (run.mark == '~' && run.size != 2)) continue;
    const char left = before(run.at);
    const char right = at(i);
    const auto same = [&](const Run& other) { return other.mark == run.mark && other.size == run.size; };
    const auto opener = std::find_if(open.begin(), open.end(), same);
    if (opener != open.end() && left != ' ' && is_outside(right, "*_~-.,;:!?()[]\"'<|/")) {
      const size_t from = opener->at + run.size;
      if (run.mark != '_' || !is_identifier(from, run.at)) {
        set(opener->at, from, Use::mark);
        set(run.at, i, Use::mark);
      }
      open.erase(opener, open.end());
    } else if (right != ' ' && is_outside(left, "*_~-.,;:!?([\"'>/")) {
      std::erase_if(open, same);  // The nearest one counts.
      open.push_back(run);
    }
  }
}

void Line::write(std::string& text) const {
  for (size_t i = 0; i < line_.size();) {
    if (use_[i] == Use::mark) {
      ++i;
      continue;
    }
    const auto entity = line_[i] == '&' && use_[i] == Use::text ? parse_entity(line_.substr(i)) : std::nullopt;
    if (entity) {
      append_character(text, entity->character);
      if (entity->second != 0) append_character(text, entity->second);
      i += entity->size;
      continue;
    }
    size_t end = i + 1;
    while (end < line_.size() && use_[end] != Use::mark && line_[end] != '&') ++end;
    text += line_.substr(i, end - i);
    i = end;
  }
}

}  // namespace

void append_without_marks(std::string_view line, const std::set<std::string, std::less<>>& labels, std::string& text) {
  constexpr ByteSet kMarks("`\\[*_~&");
  if (kMarks.find(line) == line.size()) {
    text += line;
    return;
  }
  Line marked(line);
  marked.find_code();
  marked.find_mixed_marks();
  marked.find_escapes();
  marked.find_links(labels);
  marked.find_emphasis();
  marked.write(text);
}

}  // namespace tinyllm::documents
