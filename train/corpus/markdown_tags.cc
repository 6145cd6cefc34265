#include <tinyllm/train/corpus/byte_set.h>
#include <tinyllm/train/corpus/characters.h>
#include <tinyllm/train/corpus/markdown_tags.h>

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tinyllm {
namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr ByteSet kMarks("<`{");

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

template <size_t kSize>
bool is_one_of(const std::array<std::string_view, kSize>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_html(std::string_view name) {
  return gumbo_tagn_enum(name.data(), static_cast<unsigned>(name.size())) != GUMBO_TAG_UNKNOWN;
}

bool breaks_line(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {"br", "p",  "div", "li", "tr", "h1",
                                                       "h2", "h3", "h4",  "h5", "h6", "summary"};
  return is_one_of(kNames, name);
}

bool has_no_prose(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames = {"script", "style", "svg", "video", "audio", "object"};
  return is_one_of(kNames, name);
}

struct Tag {
  size_t end = kNone;  // Behind its `>`; none where there is no tag.
  std::string name;    // Lower case.
  bool closes = false;
  bool closes_itself = false;
};

// The tag at the `<` at the front of the text.
Tag parse_tag(std::string_view text) {
  constexpr size_t kLongest = 4096;
  text = text.substr(0, kLongest);
  Tag tag;
  size_t i = 1;
  if (i < text.size() && text[i] == '/') tag.closes = ++i != 0;
  while (i < text.size() &&
         (is_ascii_letter(text[i]) || (!tag.name.empty() && (text[i] == '-' || is_digit(text[i]))))) {
    tag.name += lower_case(text[i]);
    ++i;
  }
  if (tag.name.empty() || i == text.size()) return tag;
  if (!is_blank(text[i]) && text[i] != '/' && text[i] != '>') return tag;
  bool has_value = false;
  const size_t attributes = i;
  for (; i < text.size() && text[i] != '>' && text[i] != '<'; ++i) {
    if (text[i] == '=') has_value = true;
    if (text[i] != '"' && text[i] != '\'') continue;
    i = text.find(text[i], i + 1);
    if (i == kNone) return tag;
  }
  if (i >= text.size() || text[i] != '>') return tag;
  tag.closes_itself = text[i - 1] == '/';
  // "a <b and c> d" is no tag, <details open> is one.
  const bool has_words = text.substr(attributes, i - attributes).find_first_not_of(" \t\r\n/") != kNone;
  if (has_words && !has_value && (tag.closes || tag.name.size() == 1)) return tag;
  tag.end = i + 1;
  return tag;
}

class Stripper {
 public:
  explicit Stripper(std::string_view text) : text_(text) {}

  std::string strip() {
    while (at_ < text_.size()) {
      copy(kMarks.find(text_, at_) - at_);
      if (at_ == text_.size()) break;
      const bool taken = text_[at_] == '`' ? code() : text_[at_] == '{' ? shortcode() : comment() || tag();
      if (!taken) {
        copy(1);
      } else if (begins_line()) {
        at_ = std::min(text_.find_first_not_of(" \t", at_), text_.size());
      }
    }
    return std::move(out_);
  }

 private:
  void copy(size_t size) {
    const std::string_view part = text_.substr(at_, size);
    const size_t line_feed = part.rfind('\n');
    if (line_feed != kNone) line_begin_ = out_.size() + line_feed + 1;
    out_ += part;
    at_ += size;
  }

  // Code in back quotes stays as it is.
  bool code() {
    const size_t words = std::min(text_.find_first_not_of('`', at_), text_.size());
    const std::string_view mark = text_.substr(at_, words - at_);
    if (line_end_ < words) line_end_ = std::min(text_.find('\n', words), text_.size());
    const std::string_view line = text_.substr(words, line_end_ - words);
    size_t end = 0;
    while ((end = line.find(mark, end)) != kNone) {
      const size_t behind = std::min(line.find_first_not_of('`', end), line.size());
      if (behind - end == mark.size()) break;
      end = behind;
    }
    const size_t size = mark.size() + (end == kNone ? 0 : end + mark.size());
    copy(size);
    return true;
  }

  bool shortcode() {
    for (const auto& [opens, closes] : {std::pair{"{{<", ">}}"}, {"{{%", "%}}"}, {"{%", "%}"}}) {
      if (!text_.substr(at_).starts_with(opens)) continue;
      constexpr size_t kLongest = 1024;
      const size_t end = text_.substr(at_, kLongest).find(closes);
      if (end == kNone) return false;
      at_ += end + std::string_view(closes).size();
      return true;
    }
    return false;
  }

  bool comment() { return text_.substr(at_).starts_with("<!--") && skip_to("-->"); }

  bool tag() {
    const Tag tag = parse_tag(text_.substr(at_));
    if (tag.end == kNone) return false;
    const size_t behind = at_ + tag.end;
    if (!is_html(tag.name) && !tag.closes && !tag.closes_itself && !is_alone(behind)) return false;
    if (breaks_line(tag.name) && line_begin_ < out_.size()) {
      out_ += out_[line_begin_] == '|' ? ' ' : '\n';
      if (out_.back() == '\n') line_begin_ = out_.size();
    }
    if (has_no_prose(tag.name) && !tag.closes && !tag.closes_itself && skip_to("</" + tag.name + ">")) return true;
    at_ = behind;
    return true;
  }

  // Whether there is nothing but blanks and tags before and behind a tag on its line.
  bool is_alone(size_t behind) const {
    const size_t next = text_.find_first_not_of(" \t\r", behind);
    return begins_line() && (next == kNone || text_[next] == '\n' || text_[next] == '<');
  }

  bool begins_line() const {
    const size_t before = std::string_view(out_).find_last_not_of(" \t");
    return before == kNone || out_[before] == '\n';
  }

  // A text with no end to one thing is not searched for the end of the next.
  bool skip_to(std::string_view end) {
    if (is_open_) return false;
    const size_t found = text_.find(end, at_);
    is_open_ = found == kNone;
    if (!is_open_) at_ = found + end.size();
    return !is_open_;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t line_end_ = 0;  // Of the line of the last back quote.
  std::string out_;
  size_t line_begin_ = 0;  // Of the last line of that.
  bool is_open_ = false;
};

}  // namespace

std::string without_tags(std::string_view markdown) { return Stripper(markdown).strip(); }

}  // namespace tinyllm
