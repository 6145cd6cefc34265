#include <tinyllm/runtime/documents/byte_set.h>
#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/html_tag.h>

#include <algorithm>
#include <array>

namespace tinyllm::documents {
namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr ByteSet kBlanks(" \t\r\n\f");

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() && kBlanks.has(text[at])) ++at;
  return at;
}

// Whether a style hides its element. If a property is declared several times, the last one counts.
bool style_hides(std::string_view style) {
  bool no_display = false;
  bool no_visibility = false;
  while (!style.empty()) {
    const size_t end = std::min(style.find(';'), style.size());
    std::string declaration = lower_case(style.substr(0, end));
    std::erase_if(declaration, [](char c) { return kBlanks.has(c); });
    const std::string_view words = declaration;
    if (words.starts_with("display:")) no_display = words.starts_with("display:none");
    if (words.starts_with("visibility:")) no_visibility = words.starts_with("visibility:hidden");
    style.remove_prefix(std::min(end + 1, style.size()));
  }
  return no_display || no_visibility;
}

bool role_hides(const std::string& role) {
  constexpr std::array<std::string_view, 5> kRoles = {"banner", "complementary", "contentinfo", "navigation", "search"};
  return std::find(kRoles.begin(), kRoles.end(), role) != kRoles.end();
}

// Reads attributes one after the other.
class AttributeReader {
 public:
  AttributeReader(std::string_view text, size_t at) : text_(text), at_(at) {}

  // Reads the next attribute. False if there is none.
  bool next() {
    while (at_ < text_.size() && (kBlanks.has(text_[at_]) || text_[at_] == '/')) ++at_;
    if (at_ == text_.size() || text_[at_] == '>') return false;
    constexpr ByteSet kEndsName(" \t\r\n\f/>=");
    const size_t end = kEndsName.find(text_, at_ + 1);  // The first character may be a =.
    name = text_.substr(at_, end - at_);
    value = {};
    at_ = skip_blanks(text_, end);
    if (at_ == text_.size() || text_[at_] != '=') return true;
    at_ = skip_blanks(text_, at_ + 1);
    const bool is_quoted = at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'');
    constexpr ByteSet kEndsValue(" \t\r\n\f>");
    const size_t begin = at_ + (is_quoted ? 1 : 0);
    at_ = is_quoted ? std::min(text_.find(text_[at_], begin), text_.size()) : kEndsValue.find(text_, begin);
    value = text_.substr(begin, at_ - begin);
    if (is_quoted && at_ < text_.size()) ++at_;
    return true;
  }

  size_t at() const { return at_; }

  std::string_view name;
  std::string_view value;

 private:
  std::string_view text_;
  size_t at_;
};

// If attributes have the same name, the first one counts.
class Visibility {
 public:
  void see(std::string_view name, std::string_view value) {
    constexpr size_t kLongest = 11;
    if (name.size() > kLongest) return;
    const std::string key = lower_case(name);
    if (key == "hidden") {
      is_hidden_ = true;
    } else if (key == "aria-hidden" && !has_aria_) {
      has_aria_ = true;
      is_hidden_ |= lower_case(value) == "true";
    } else if (key == "role" && !has_role_) {
      has_role_ = true;
      is_hidden_ |= role_hides(lower_case(value));
    } else if (key == "style" && !has_style_) {
      has_style_ = true;
      is_hidden_ |= style_hides(value);
    }
  }
  bool is_hidden() const { return is_hidden_; }

 private:
  bool is_hidden_ = false;
  bool has_aria_ = false;
  bool has_role_ = false;
  bool has_style_ = false;
};

}  // namespace

std::optional<HtmlTag> parse_html_tag(std::string_view text) {
  HtmlTag tag;
  tag.closes = text.substr(1).starts_with('/');
  const size_t begin = tag.closes ? 2 : 1;
  if (begin >= text.size() || !is_ascii_letter(static_cast<unsigned char>(text[begin]))) return std::nullopt;
  constexpr ByteSet kEndsName(" \t\r\n\f/>");
  const size_t end = kEndsName.find(text, begin);
  AttributeReader attributes(text, end);
  Visibility visibility;
  while (attributes.next()) visibility.see(attributes.name, attributes.value);
  if (attributes.at() == text.size()) {  // Browsers show nothing of it.
    tag.size = text.size();
    return tag;
  }
  tag.name = lower_case(text.substr(begin, end - begin));
  tag.size = attributes.at() + 1;
  tag.closes_itself = text[attributes.at() - 1] == '/';
  tag.is_hidden = visibility.is_hidden();
  return tag;
}

size_t html_comment_size(std::string_view text) {
  const auto up_to_bracket = [&](size_t at) { return std::min(text.find('>', at), text.size() - 1) + 1; };
  if (!text.starts_with("<!--")) {
    const bool is_end =
        text.starts_with("</") && text.size() > 2 && !is_ascii_letter(static_cast<unsigned char>(text[2]));
    return is_end || text.starts_with("<!") || text.starts_with("<?") ? up_to_bracket(1) : 0;
  }
  size_t at = 4;
  if (text.substr(at).starts_with('>') || text.substr(at).starts_with("->")) return up_to_bracket(at);
  while ((at = text.find("--", at)) != kNone) {
    const std::string_view rest = text.substr(at + 2);
    if (rest.starts_with('>') || rest.starts_with("!>")) return up_to_bracket(at + 2);
    ++at;
  }
  return text.size();
}

size_t html_raw_text_size(std::string_view html, std::string_view name) {
  const auto is_tag = [&](size_t at) {
    constexpr ByteSet kEndsName(" \t\r\n\f/>");
    const size_t end = at + name.size();
    return end < html.size() && kEndsName.has(html[end]) && lower_case(html.substr(at, name.size())) == name;
  };
  bool in_comment = false;
  bool in_script = false;
  constexpr ByteSet kMarks("<-");
  for (size_t at = 0; (at = kMarks.find(html, at)) < html.size(); ++at) {
    const std::string_view rest = html.substr(at);
    if (rest.starts_with("</") && is_tag(at + 2)) {
      if (!in_script) return at;
      in_script = false;
    } else if (rest.starts_with("-->")) {
      in_comment = in_script = false;
    } else if (name == "script" && rest.starts_with("<!--")) {
      in_comment = true;
      ++at;  // "<!-->" is a whole comment.
    } else if (in_comment && rest.starts_with('<') && is_tag(at + 1)) {
      in_script = true;
    }
  }
  return html.size();
}

bool is_void_element(std::string_view name) {
  constexpr std::array<std::string_view, 18> kNames = {"area",  "base",  "basefont", "bgsound", "br",    "col",
                                                       "embed", "frame", "hr",       "img",     "input", "keygen",
                                                       "link",  "meta",  "param",    "source",  "track", "wbr"};
  return std::binary_search(kNames.begin(), kNames.end(), name);
}

}  // namespace tinyllm::documents
