#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/front_matter.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace tinyllm::documents {
namespace {

constexpr int kMostLines = 200;
constexpr std::string_view kMark = "\xEF\xBB\xBF";  // Of the order of bytes.
constexpr std::string_view kDocumentBreak = "\f";   // A line between the documents of a corpus.

constexpr std::array<std::string_view, 26> kUsual = {
    "aliases",     "author",        "authors", "categories", "category", "comments", "cover",  "created",   "date",
    "description", "draft",         "id",      "image",      "keywords", "lang",     "layout", "linkTitle", "permalink",
    "published",   "sidebar_label", "slug",    "tags",       "template", "title",    "toc",    "weight"};
static_assert(std::is_sorted(kUsual.begin(), kUsual.end()));

// The line at `at` without its end and the blanks before that; moves `at` to the next one.
std::string_view take_line(std::string_view text, size_t& at) {
  const size_t end = std::min(text.find('\n', at), text.size());
  std::string_view line = text.substr(at, end - at);
  at = std::min(end + 1, text.size());
  return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

// The name of a setting, `name: value` or `name = value`; empty for other lines.
std::string_view setting_name(std::string_view line, char sign) {
  size_t end = 0;
  const auto is_part = [](char c) {
    return is_ascii_alphanumeric(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' || (c & 0x80) != 0;
  };
  const bool is_quoted = line.starts_with('"');
  if (is_quoted) line.remove_prefix(1);
  while (end < line.size() && is_part(line[end])) ++end;
  const std::string_view name = line.substr(0, end);
  if (is_quoted && end < line.size() && line[end] == '"') ++end;
  while (end < line.size() && line[end] == ' ') ++end;
  if (end == line.size() || line[end] != sign) return "";
  const bool has_value = sign == '=' || end + 1 == line.size() || line[end + 1] == ' ';
  return has_value ? name : "";
}

// Where the front matter that begins with the line at `at` ends; `at` when none does.
size_t settings_end(std::string_view text, size_t at, bool opens_document) {
  size_t next = at;
  const std::string_view mark = take_line(text, next);
  if (mark != "---" && mark != "+++") return at;
  const char sign = mark == "+++" ? '=' : ':';
  int names = 0;
  bool has_usual = false;
  for (int i = 0; i < kMostLines && next < text.size(); ++i) {
    const std::string_view line = take_line(text, next);
    if (line == mark || (sign == ':' && line == "...")) {
      return names > 0 && (opens_document || has_usual) ? next : at;
    }
    const bool goes_on = line.empty() ? opens_document : std::string_view(" \t-#[]}").find(line[0]) != line.npos;
    const std::string_view name = setting_name(line, sign);
    if (!name.empty()) ++names;
    has_usual |= std::binary_search(kUsual.begin(), kUsual.end(), name);
    if (name.empty() && (!goes_on || (names == 0 && !opens_document && !line.starts_with('#')))) return at;
  }
  return at;
}

// The same of JSON: lines from `{` to `}`, which must be an object with a title or a date.
size_t object_end(std::string_view text, size_t at) {
  size_t next = at;
  if (take_line(text, next) != "{") return at;
  for (int i = 0; i < kMostLines && next < text.size(); ++i) {
    if (take_line(text, next) != "}") continue;
    const auto object = nlohmann::json::parse(text.substr(at, next - at), nullptr, false);
    const bool is_found = object.is_object() && (object.contains("title") || object.contains("date"));
    return is_found && next < text.size() ? next : at;
  }
  return at;
}

// A value of YAML or TOML on one line.
std::string plain_value(std::string_view value) {
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  if (value.empty() || std::string_view(">|&*!{[").find(value[0]) != value.npos) return "";
  if (value[0] == '"') {
    const auto quoted = nlohmann::json::parse(value.substr(0, value.rfind('"') + 1), nullptr, false);
    return quoted.is_string() ? quoted.get<std::string>() : "";
  }
  if (value[0] == '\'') {
    const size_t end = value.rfind('\'');
    return std::string(value.substr(1, end == 0 ? value.npos : end - 1));
  }
  return std::string(value.substr(0, value.find(" #")));
}

bool is_fence(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return line.starts_with("```") || line.starts_with("~~~");
}

}  // namespace

std::string front_matter_title(std::string_view text) {
  size_t at = text.starts_with(kMark) ? kMark.size() : 0;
  for (size_t next = at; next < text.size() && take_line(text, next).empty();) at = next;
  std::string title;
  if (const size_t end = settings_end(text, at, true); end > at) {
    const char sign = take_line(text, at) == "+++" ? '=' : ':';
    while (at < end && title.empty()) {
      const std::string_view line = take_line(text, at);
      if (setting_name(line, sign) == "title") title = plain_value(line.substr(line.find(sign) + 1));
    }
  } else if (const size_t object = object_end(text, at); object > at) {
    const auto settings = nlohmann::json::parse(text.substr(at, object - at), nullptr, false);
    if (settings.contains("title") && settings["title"].is_string()) title = settings["title"].get<std::string>();
  }
  std::replace_if(
      title.begin(), title.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; }, ' ');
  return title;
}

void remove_front_matter(std::string& text, bool opens_document) {
  if (text.find("---") == std::string::npos && text.find("+++") == std::string::npos &&
      (!opens_document || text.find('{') == std::string::npos)) {
    return;
  }
  std::string rest;
  bool opens = opens_document;
  bool in_fence = false;
  size_t copied = 0;
  for (size_t at = text.starts_with(kMark) ? kMark.size() : 0; at < text.size();) {
    size_t end = in_fence ? at : settings_end(text, at, opens);
    if (end == at && opens) end = object_end(text, at);
    if (end > at) {
      rest += std::string_view(text).substr(copied, at - copied);
      rest.append(static_cast<size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(at),
                                                 text.begin() + static_cast<std::ptrdiff_t>(end), '\n')),
                  '\n');
      copied = at = end;
      opens = false;
      continue;
    }
    const std::string_view line = take_line(text, at);
    if (is_fence(line)) in_fence = !in_fence;
    if (line.empty()) continue;
    opens = line == kDocumentBreak;
    in_fence &= !opens;
  }
  if (copied > 0) text = rest.append(text, copied);
}

}  // namespace tinyllm::documents
