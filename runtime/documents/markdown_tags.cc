#include <tinyllm/runtime/documents/byte_set.h>
#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/markdown_search.h>
#include <tinyllm/runtime/documents/markdown_tags.h>

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace tinyllm::documents {
namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr ByteSet kMarks("<`{");

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

template <size_t kSize>
bool is_one_of(const std::array<std::string_view, kSize>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool breaks_line(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {"br", "p",  "div", "li", "tr", "h1",
                                                       "h2", "h3", "h4",  "h5", "h6", "summary"};
  return is_one_of(kNames, name);
}

constexpr std::array<std::string_view, 6> kWithoutProse = {"script", "style", "svg", "video", "audio", "object"};

struct Tag {
  size_t end = kNone;  // After its `>`; none where there is no tag.
  std::string name;    // Lower case.
  bool closes = false;
  bool closes_itself = false;
  bool has_attributes = false;
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
  // "a <b and c> d" is not a tag, <details open> is one.
  tag.has_attributes = text.substr(attributes, i - attributes).find_first_not_of(" \t\r\n/") != kNone;
  if (tag.has_attributes && !has_value && (tag.closes || tag.name.size() == 1)) return tag;
  tag.end = i + 1;
  return tag;
}

// "run <image> <output>" has placeholders, not tags.
bool is_html(const Tag& tag) {
  constexpr std::array<std::string_view, 3> kPlaceholders = {"data", "image", "output"};
  if (!tag.has_attributes && is_one_of(kPlaceholders, tag.name)) return false;
  return gumbo_tagn_enum(tag.name.data(), static_cast<unsigned>(tag.name.size())) != GUMBO_TAG_UNKNOWN;
}

class Stripper {
 public:
  explicit Stripper(std::string_view text)
      : text_(text),
        comment_end_(text, "-->"),
        shortcodes_{{{"{{<", {text, ">}}"}}, {"{{%", {text, "%}}"}}, {"{%", {text, "%}"}}}} {
    for (const std::string_view name : kWithoutProse) ends_.emplace_back(text, "</" + std::string(name) + ">");
  }

  std::string strip() {
    while (at_ < text_.size()) {
      copy(kMarks.find(text_, at_) - at_);
      if (at_ == text_.size()) break;
      const bool taken = text_[at_] == '`' ? code() : text_[at_] == '{' ? shortcode() : comment() || tag();
      if (!taken) {
        copy(1);
      } else if (begins_line_) {
        at_ = std::min(text_.find_first_not_of(" \t", at_), text_.size());
      }
    }
    return std::move(out_);
  }

 private:
  struct Shortcode {
    std::string_view opens;
    ForwardFinder closes;
  };

  void copy(size_t size) {
    const std::string_view part = text_.substr(at_, size);
    const size_t line_feed = part.rfind('\n');
    if (line_feed != kNone) line_begin_ = out_.size() + line_feed + 1;
    const size_t word = part.find_last_not_of(" \t");
    if (word != kNone) begins_line_ = part[word] == '\n';
    out_ += part;
    at_ += size;
  }

  // Code in back quotes stays as it is.
  bool code() {
    if (at_ >= line_end_) {
      line_at_ = at_;
      line_end_ = std::min(text_.find('\n', at_), text_.size());
      spans_.emplace(text_.substr(line_at_, line_end_ - line_at_));
    }
    const size_t size = spans_->run_size(at_ - line_at_);
    const size_t words = at_ - line_at_ + size;
    const size_t end = spans_->find(words, size);
    copy(end == kNone ? size : end + size - (at_ - line_at_));
    return true;
  }

  bool shortcode() {
    constexpr size_t kLongest = 1024;
    for (auto& [opens, closes] : shortcodes_) {
      if (!text_.substr(at_).starts_with(opens)) continue;
      const size_t end = closes.find(at_);
      if (end == kNone || end - at_ > kLongest) return false;
      at_ = end + (opens.size() == 3 ? 3 : 2);
      return true;
    }
    return false;
  }

  bool comment() { return text_.substr(at_).starts_with("<!--") && skip_to(comment_end_, 3); }

  bool tag() {
    const Tag tag = parse_tag(text_.substr(at_));
    if (tag.end == kNone) return false;
    const size_t end = at_ + tag.end;
    if (!is_html(tag) && !tag.closes && !tag.closes_itself && !is_alone(end)) return false;
    if (breaks_line(tag.name) && line_begin_ < out_.size()) {
      out_ += out_[line_begin_] == '|' ? ' ' : '\n';
      if (out_.back() == '\n') {
        line_begin_ = out_.size();
        begins_line_ = true;
      }
    }
    if (!tag.closes && !tag.closes_itself) {
      const auto* found = std::find(kWithoutProse.begin(), kWithoutProse.end(), tag.name);
      const bool has_no_prose = found != kWithoutProse.end();
      if (has_no_prose && skip_to(ends_[static_cast<size_t>(found - kWithoutProse.begin())], tag.name.size() + 3)) {
        return true;
      }
    }
    at_ = end;
    return true;
  }

  // Whether there are only blanks and tags around a tag on its line.
  bool is_alone(size_t end) const {
    const size_t next = text_.find_first_not_of(" \t\r", end);
    return begins_line_ && (next == kNone || text_[next] == '\n' || text_[next] == '<');
  }

  // Moves past a part that ends with a string of this size, if there is an end.
  bool skip_to(ForwardFinder& end, size_t size) {
    const size_t found = end.find(at_);
    if (found != kNone) at_ = found + size;
    return found != kNone;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t line_at_ = 0;  // From the first back quote of a line to its end.
  size_t line_end_ = 0;
  std::optional<CodeSpans> spans_;
  ForwardFinder comment_end_;
  std::vector<ForwardFinder> ends_;  // Of each element without prose.
  std::array<Shortcode, 3> shortcodes_;
  std::string out_;
  size_t line_begin_ = 0;    // Of the last line of that,
  bool begins_line_ = true;  // in which there are only blanks.
};

}  // namespace

std::string without_tags(std::string_view markdown) { return Stripper(markdown).strip(); }

}  // namespace tinyllm::documents
