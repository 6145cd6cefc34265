#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/html_sniff.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace tinyllm::documents {
namespace {

constexpr size_t kNone = std::string_view::npos;

constexpr std::array<std::string_view, 58> kElements = {
    "a",     "article", "aside",  "b",       "blockquote", "body",   "br",     "button", "center", "code",
    "dd",    "div",     "dl",     "dt",      "em",         "font",   "footer", "form",   "h1",     "h2",
    "h3",    "h4",      "h5",     "h6",      "head",       "header", "hr",     "html",   "i",      "iframe",
    "img",   "input",   "label",  "li",      "link",       "main",   "meta",   "nav",    "ol",     "p",
    "path",  "pre",     "script", "section", "small",      "span",   "strong", "style",  "svg",    "table",
    "tbody", "td",      "th",     "thead",   "title",      "tr",     "u",      "ul"};
static_assert(std::is_sorted(kElements.begin(), kElements.end()));

bool starts_with(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char a, char b) { return a == lower_case(b); });
}

// The position of the next `<name` or `</name` from `at` on, ignoring case.
size_t find_tag(std::string_view text, std::string_view tag, size_t at = 0) {
  for (at = text.find('<', at); at != kNone; at = text.find('<', at + 1)) {
    if (starts_with(text.substr(at), tag)) return at;
  }
  return kNone;
}

// Scripts and styles hold far more of these than prose does.
bool is_program(std::string_view text) {
  const auto marks = std::count_if(text.begin(), text.end(), [](char c) {
    return c == '{' || c == '}' || c == ';' || c == '=' || c == '(' || c == ')' || c == ':';
  });
  return 25 * static_cast<size_t>(marks) > text.size();
}

// A text whose tags are counted.
class Markup {
 public:
  explicit Markup(std::string_view text) : text_(text) {
    while (at_ < text.size()) {
      const size_t tag = std::min(text.find('<', at_), text.size());
      bare_ += text.substr(at_, tag - at_);
      at_ = tag;
      if (at_ < text.size()) take_tag();
    }
  }

  int64_t tags() const { return tags_; }
  int64_t closing() const { return closing_; }
  size_t bytes() const { return bytes_; }

  // Whether two thirds of the lines begin with a tag.
  bool leads_lines() const {
    int64_t lines = 0;
    int64_t led = 0;
    for (std::string_view rest = bare_; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const size_t first = line.find_first_not_of(" \t\r");
      if (first == kNone) continue;
      ++lines;
      if (line[first] == kTag) ++led;
    }
    return 3 * led >= 2 * lines;
  }

 private:
  static constexpr char kTag = '\1';

  void take_tag() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("<!--")) return take(rest.find("-->"), 3);
    const bool closes = rest.starts_with("</");
    const size_t name = closes ? 2 : 1;
    size_t end = name;
    while (end < rest.size() && is_ascii_alphanumeric(static_cast<unsigned char>(rest[end]))) ++end;
    const std::string element = lower_case(rest.substr(name, std::min<size_t>(end - name, 16)));
    const size_t stop = rest.find_first_of("<>", end);
    const bool is_tag = std::binary_search(kElements.begin(), kElements.end(), element) && stop != kNone &&
                        rest[stop] == '>' && (end == stop || rest[end] == '/' || rest[end] <= ' ');
    if (!is_tag) {
      bare_ += '<';
      ++at_;
      return;
    }
    ++tags_;
    if (closes) ++closing_;
    if (!closes && element == "script") return take(find_tag(rest, "</script", stop), 0);
    if (!closes && element == "style") return take(find_tag(rest, "</style", stop), 0);
    take(stop, 1);
  }

  // Takes the text up to `size` bytes after `end`, or all of it if there is no end.
  void take(size_t end, size_t size) {
    const size_t taken = end == kNone ? text_.size() - at_ : end + size;
    bare_ += kTag;
    bytes_ += taken;
    at_ += taken;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string bare_;  // With one character for each tag, script and style.
  int64_t tags_ = 0;
  int64_t closing_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

bool begins_as_html(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\xEF\xBB\xBF"), text.size()));
  return starts_with(text, "<!doctype html") || starts_with(text, "<html");
}

std::string_view without_cut_beginning(std::string_view html) {
  constexpr size_t kLongestTag = 4096;
  const size_t first = html.find_first_not_of(" \t\r\n");
  if (first == kNone || html[first] == '<') return html;
  size_t program = kNone;
  for (const auto& [opening, closing] : {std::pair("<script", "</script"), std::pair("<style", "</style")}) {
    const size_t end = find_tag(html, closing);
    if (end != kNone && find_tag(html.substr(0, end), opening) == kNone) program = std::min(program, end);
  }
  if (program != kNone && is_program(html.substr(0, program))) return html.substr(program);
  // The end of a tag has an attribute, or is a name without blanks.
  const size_t end = html.find_first_of("<>");
  if (end == kNone || end > kLongestTag || html[end] == '<') return html;
  const std::string_view rest = html.substr(0, end);
  const bool is_tag = rest.find("=\"") != kNone || rest.find("='") != kNone || rest.ends_with('"') ||
                      (rest.size() < 12 && rest.find_first_of(" \n") == kNone);
  return is_tag ? html.substr(end + 1) : html;
}

bool looks_like_html(std::string_view text) {
  constexpr int kFewestTags = 3;
  if (std::count(text.begin(), text.end(), '<') < kFewestTags) return false;  // As for most texts.
  const std::string_view page = without_cut_beginning(text);
  const size_t cut = text.size() - page.size();
  const Markup markup(page);
  const bool begins_in_program = page.starts_with("</");
  if (markup.tags() < (begins_in_program ? kFewestTags : 10) || 5 * markup.closing() < markup.tags()) return false;
  return 2 * (markup.bytes() + cut) >= text.size() || markup.leads_lines();
}

}  // namespace tinyllm::documents
