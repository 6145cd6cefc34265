#include <tinyllm/runtime/agent/names.h>

#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <unicode/normalizer2.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tinyllm::agent {
namespace {

constexpr size_t kMaxPattern = 4096;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Characters that change how the ones around them are shown, or are not shown at all.
bool is_deceptive(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

void append_hex(std::string& text, char byte) { text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte)); }

// One character of a name that may not be UTF-8.
size_t length_at(std::string_view text, size_t at) {
  size_t length = 1;
  while (length < 4 && at + length < text.size() && continues_character(text[at + length])) ++length;
  return valid_utf8(text.substr(at, length)) == length ? length : 1;
}

// The end of the set that begins at `at`; npos if it is open.
size_t end_of_set(std::string_view pattern, size_t at) {
  size_t end = at + 1;
  if (end < pattern.size() && pattern[end] == '!') ++end;
  if (end < pattern.size() && pattern[end] == ']') ++end;
  return pattern.find(']', end);
}

bool set_matches(std::string_view set, std::string_view character) {
  const bool negated = set.starts_with('!');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (size_t at = 0; at < set.size();) {
    const std::string_view low = set.substr(at, length_at(set, at));
    at += low.size();
    std::string_view high = low;
    if (at + 1 < set.size() && set[at] == '-') {
      high = set.substr(at + 1, length_at(set, at + 1));
      at += 1 + high.size();
    }
    // In UTF-8, characters are in the order of their bytes.
    found = found || (low <= character && character <= high);
  }
  return found != negated;
}

}  // namespace

std::string folded(std::string_view name) {
  if (is_ascii(name)) {
    std::string lower(name);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return lower;
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) throw Error("names cannot be folded: {}", u_errorName(status));
  const icu::UnicodeString folded = form->normalize(icu::UnicodeString::fromUTF8(replace_invalid_utf8(name)), status);
  if (U_FAILURE(status)) throw Error("{}: cannot be folded: {}", escaped(name), u_errorName(status));
  std::string text;
  folded.toUTF8String(text);
  return text;
}

std::string escaped(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = length_at(bytes, at);
    const std::string_view character = bytes.substr(at, length);
    const bool valid = valid_utf8(character) == length;
    size_t ignored = 0;
    const char32_t c = valid ? next_character(character, ignored) : 0;
    if (character == "\n") {
      text += "\\n";
    } else if (character == "\\") {
      text += "\\\\";
    } else if (!valid || is_deceptive(c)) {
      for (const char byte : character) append_hex(text, byte);
    } else {
      text += character;
    }
    at += length;
  }
  return text;
}

std::string unescaped(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      bytes += text[at];
      continue;
    }
    const std::string_view rest = text.substr(at + 1);
    unsigned char byte = 0;
    if (rest.starts_with('n')) {
      bytes += '\n';
      at += 1;
    } else if (rest.starts_with('\\')) {
      bytes += '\\';
      at += 1;
    } else if (rest.size() >= 3 && rest[0] == 'x' &&
               std::from_chars(rest.data() + 1, rest.data() + 3, byte, 16).ptr == rest.data() + 3) {
      bytes += static_cast<char>(byte);
      at += 3;
    } else {
      throw Error("{}: has an escape that is not known", escaped(text));
    }
  }
  return bytes;
}

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view parent_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string joined(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

bool is_within(std::string_view path, std::string_view folder) {
  return folder.empty() || (path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/'));
}

std::string_view extension_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == name.npos || dot == 0 || dot + 1 == name.size() ? std::string_view() : name.substr(dot);
}

std::string portability_problem(std::string_view name) {
  constexpr std::array kReserved = {"con", "prn", "aux", "nul"};
  for (const char c : name) {
    if (std::string_view("<>:\"|?*").find(c) != std::string_view::npos) return fmt::format("has the character {}", c);
    if (c == '\\') return "has a backslash; folders are separated by /";
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "has a control character";
  }
  if (valid_utf8(name) != name.size()) return "is not UTF-8";
  if (name.ends_with('.') || name.ends_with(' ')) return "ends in a dot or a blank";
  std::string stem = folded(name.substr(0, name.find('.')));
  while (stem.ends_with(' ')) stem.pop_back();
  const bool is_port =
      stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem[3] >= '1' && stem[3] <= '9';
  if (is_port || std::find(kReserved.begin(), kReserved.end(), stem) != kReserved.end()) {
    return "is reserved on Windows";
  }
  return "";
}

bool name_matches(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0;
  size_t star = pattern.npos, star_name = 0;  // Where to go on when what follows the last * does not match.
  while (n < name.size()) {
    const size_t length = length_at(name, n);
    const size_t set_end = p < pattern.size() && pattern[p] == '[' ? end_of_set(pattern, p) : pattern.npos;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      n += length;
    } else if (set_end != pattern.npos && set_matches(pattern.substr(p + 1, set_end - p - 1), name.substr(n, length))) {
      p = set_end + 1;
      n += length;
    } else if (p < pattern.size() && pattern[p] != '[' && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != pattern.npos) {
      p = star + 1;
      star_name += length_at(name, star_name);
      n = star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Glob::Glob(std::string_view pattern) {
  if (pattern.size() > kMaxPattern) {
    throw AgentError(Code::bad_plan, "pattern: {} bytes, expected at most {}", pattern.size(), kMaxPattern);
  }
  for (const std::string_view part : split_path(pattern)) {
    if (part == ".") continue;
    for (size_t at = 0; (at = part.find('[', at)) != part.npos;) {
      const size_t end = end_of_set(part, at);
      if (end == part.npos) throw AgentError(Code::bad_plan, "pattern {}: a [ has no ]", escaped(pattern));
      at = end + 1;
    }
    // Two in a row match the same as one.
    if (part == "**" && !parts_.empty() && parts_.back() == "**") continue;
    parts_.emplace_back(part);
  }
  if (parts_.empty()) throw AgentError(Code::bad_plan, "pattern: is empty, expected a glob such as docs/*.md");
  for (size_t i = 0; i + 1 < parts_.size() && parts_[i].find_first_of("*?[") == std::string::npos; ++i) {
    literal_folder_ = joined(literal_folder_, parts_[i]);
  }
}

bool Glob::matches(const std::vector<std::string_view>& path) const {
  if (parts_.size() == 2 && parts_[0] == "**" && parts_[1] != "**") {
    return !path.empty() && name_matches(parts_[1], path.back());
  }
  // reach[n]: the parts of the pattern so far match the first n parts of the path.
  std::vector<char> reach(path.size() + 1, 0);
  reach[0] = 1;
  for (size_t p = 0; p < parts_.size(); ++p) {
    std::vector<char> next(path.size() + 1, 0);
    const bool any = parts_[p] == "**";
    const bool at_least_one = any && p + 1 == parts_.size();
    for (size_t n = 0; n <= path.size(); ++n) {
      if (any) {
        next[n] = (n > 0 && (next[n - 1] || reach[n - 1])) || (!at_least_one && reach[n]);
      } else if (n > 0 && reach[n - 1]) {
        next[n] = name_matches(parts_[p], path[n - 1]);
      }
    }
    reach.swap(next);
  }
  return reach[path.size()] != 0;
}

bool Glob::may_match_below(const std::vector<std::string_view>& folder) const {
  for (size_t i = 0; i < folder.size(); ++i) {
    if (i >= parts_.size()) return false;
    if (parts_[i] == "**") return true;
    if (!name_matches(parts_[i], folder[i])) return false;
  }
  return parts_.size() > folder.size();
}

}  // namespace tinyllm::agent
