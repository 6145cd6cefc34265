#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/markdown.h>
#include <tinyllm/runtime/documents/markdown_inline.h>
#include <tinyllm/runtime/documents/markdown_tags.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

namespace tinyllm::documents {
namespace {

constexpr size_t kNone = std::string_view::npos;

// Removes the first line from the text and returns it.
std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  line.remove_suffix(line.size() - std::min(line.size(), line.find_last_not_of(" \t\r") + 1));
  return line;
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

size_t count_front(std::string_view text, char c) { return std::min(text.find_first_not_of(c), text.size()); }

// The length of the mark that opens code, and which one; 0 for other lines.
size_t fence(std::string_view line) {
  line = trimmed(line);
  if (line.empty() || (line[0] != '`' && line[0] != '~')) return 0;
  const size_t size = count_front(line, line[0]);
  if (size < 3 || (line[0] == '`' && line.find('`', size) != kNone)) return 0;
  return size;
}

bool closes_fence(std::string_view line, char mark, size_t size) {
  line = trimmed(line);
  return count_front(line, mark) == line.size() && line.size() >= size;
}

// Whether a line is a rule: only these characters, and one of them at least three times.
bool is_rule(std::string_view line) {
  return line.size() >= 3 && std::string_view("-*_=").find(line[0]) != kNone &&
         line.find_first_not_of(std::string{line[0], ' '}) == kNone &&
         std::count(line.begin(), line.end(), line[0]) >= 3;
}

bool is_under_table_head(std::string_view line) {
  return line.find_first_not_of("|:- \t") == kNone && line.find('|') != kNone && line.find('-') != kNone;
}

// The label of "[label]: target"; empty for other lines.
std::string_view defined_label(std::string_view line) {
  if (!line.starts_with('[') || line.starts_with("[^")) return "";
  const size_t end = line.find("]: ");
  if (end == kNone) return "";
  const std::string_view target = trimmed(line.substr(end + 3));
  const size_t blank = target.find(' ');
  const bool has_title = blank != kNone && std::string_view("\"'(").find(target[blank + 1]) != kNone;
  const bool is_target = target.find_first_of("/.#<") != kNone && (blank == kNone || has_title);
  return is_target ? line.substr(1, end - 1) : "";
}

class Converter {
 public:
  std::string convert(std::string_view text) {
    find_labels(text);
    while (!text.empty()) {
      const std::string_view span = until_fence(text);
      prose(span);
      if (!text.empty()) code(text);
    }
    return std::move(out_);
  }

  std::vector<HeadingMark> take_headings() { return std::move(headings_); }

 private:
  void find_labels(std::string_view text) {
    while (!text.empty()) {
      const std::string_view label = defined_label(trimmed(take_line(text)));
      if (!label.empty()) labels_.insert(lower_case(label));
    }
  }

  // Takes the lines before the next fence.
  static std::string_view until_fence(std::string_view& text) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const size_t at = text.size() - rest.size();
      if (fence(take_line(rest)) == 0) continue;
      const std::string_view span = text.substr(0, at);
      text.remove_prefix(at);
      return span;
    }
    return std::exchange(text, {});
  }

  // Takes a fence, its code, which stays as it is, and the other fence.
  void code(std::string_view& text) {
    const std::string_view opening = trimmed(take_line(text));
    const size_t size = fence(opening);
    while (!text.empty()) {
      const std::string_view line = take_line(text);
      if (closes_fence(line, opening[0], size)) return;
      put(line);
    }
  }

  void prose(std::string_view span) {
    const std::string bare = without_tags(span);
    for (std::string_view rest = bare; !rest.empty();) block(take_line(rest));
  }

  // One line without the marks before it.
  void block(std::string_view line) {
    std::string_view words = trimmed(line);
    while (words.starts_with('>') && !words.starts_with(">=")) words = trimmed(words.substr(1));
    const size_t over = std::exchange(alone_, kNone);
    if (words.empty()) return put("");
    const bool is_underline = words.find_first_not_of(words[0]) == kNone && (words[0] == '=' || words[0] == '-');
    if (is_underline && over != kNone) headings_.push_back({over, words[0] == '=' ? 1 : 2});
    const bool follows_blank = out_.empty() || out_.ends_with("\n\n");
    if (is_rule(words) || is_under_table_head(words) || words.starts_with(":::") || !defined_label(words).empty() ||
        words == "[TOC]" || words == "[[toc]]") {
      return;
    }
    if (words.starts_with('|') && words.ends_with('|') && words.size() > 2)
      return row(words.substr(1, words.size() - 2));
    std::string mark(line.substr(0, line.find_first_not_of(" \t")));
    if (words.data() != line.data() + mark.size()) mark.clear();  // A quote.
    const size_t level = count_front(words, '#');
    if (level >= 1 && level <= 6 && words.substr(level).starts_with(' ')) {
      words = heading(words.substr(level));
      mark.clear();
      if (!words.empty()) headings_.push_back({out_.size(), static_cast<int>(level)});
    } else if (words.size() > 2 && std::string_view("-*+").find(words[0]) != kNone && words[1] == ' ') {
      words = trimmed(words.substr(2));
      mark += "- ";
      for (const char* box : {"[ ] ", "[x] ", "[X] "}) {
        if (words.starts_with(box)) words.remove_prefix(4);
      }
    }
    if (words.starts_with("[^")) words = trimmed(words.substr(std::min(words.find("]:") + 2, words.size())));
    if (follows_blank && mark.empty()) alone_ = out_.size();
    put(mark + inline_text(words));
  }

  static std::string_view heading(std::string_view words) {
    const size_t anchor = words.rfind("{#");
    if (anchor != kNone && words.ends_with('}')) words = words.substr(0, anchor);
    words = trimmed(words);
    const size_t end = words.find_last_not_of('#') + 1;
    return end < words.size() && (end == 0 || words[end - 1] == ' ') ? trimmed(words.substr(0, end)) : words;
  }

  void row(std::string_view cells) {
    std::string line;
    while (true) {
      size_t end = cells.find('|');
      while (end != kNone && end > 0 && cells[end - 1] == '\\') end = cells.find('|', end + 1);
      end = std::min(end, cells.size());
      line += inline_text(trimmed(cells.substr(0, end)));
      if (end == cells.size()) break;
      line += '\t';
      cells.remove_prefix(end + 1);
    }
    put(line);
  }

  std::string inline_text(std::string_view words) const {
    std::string text;
    append_without_marks(words, labels_, text);
    return text;
  }

  // No more than one line in a row is empty.
  void put(std::string_view line) {
    if (trimmed(line).empty() && (out_.empty() || out_.ends_with("\n\n"))) return;
    out_ += line;
    out_ += '\n';
  }

  std::set<std::string, std::less<>> labels_;
  std::string out_;
  size_t alone_ = kNone;  // Where the last line begins, if it is the first one of a paragraph.
  std::vector<HeadingMark> headings_;
};

int64_t count(std::string_view text, std::string_view what) {
  int64_t n = 0;
  for (size_t at = text.find(what); at != kNone; at = text.find(what, at + what.size())) ++n;
  return n;
}

}  // namespace

std::string markdown_text(std::string_view markdown, std::vector<HeadingMark>* headings) {
  Converter converter;
  std::string text = converter.convert(markdown);
  if (headings != nullptr) *headings = converter.take_headings();
  return text;
}

bool looks_like_markdown(std::string_view beginning) {
  const int64_t links = count(beginning, "](http") + count(beginning, "\n```") + count(beginning, "\n![");
  const int64_t marks = links + count(beginning, "\n# ") + count(beginning, "\n## ") + count(beginning, "\n### ");
  return links >= 2 && marks >= 5 && marks * 2000 >= static_cast<int64_t>(beginning.size());
}

}  // namespace tinyllm::documents
