#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/train/corpus/code_lines.h>
#include <tinyllm/train/corpus/lines.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace tinyllm::corpus {

using namespace documents;
namespace {

constexpr size_t kNone = std::string_view::npos;

bool is_name(char c) { return is_ascii_alphanumeric(static_cast<unsigned char>(c)) || c == '_'; }

// Strings that occur in code and hardly in prose.
constexpr std::array<std::string_view, 14> kOperators = {
    "=>", "->", "::", "==", "!=", "+=", "-=", "&&", "||", ":=", "<=", " = ", "</", "/>"};
constexpr std::array<std::string_view, 9> kOpenings = {"//", "/*", "*/", "# ", "#include", "@", "$ ", "<!--", "\"\"\""};
constexpr std::array<std::string_view, 14> kWhole = {"pass",  "break", "continue", "else", "else:", "try:", "finally:",
                                                     "begin", "end",   "endif",    "fi",   "done",  "do",   "return"};
constexpr std::array<std::string_view, 14> kKeywords = {"def ",   "class ", "function ", "fn ",     "func ",
                                                        "if ",    "elif ",  "for ",      "while ",  "with ",
                                                        "except", "case ",  "public ",   "private "};
constexpr std::array<std::string_view, 5> kStatements = {"return ", "import ", "from ", "yield ", "raise "};

template <size_t kSize>
bool starts_with_one_of(std::string_view line, const std::array<std::string_view, kSize>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return line.starts_with(word); });
}

// `name: value` or `- name:`, as in YAML. Sentences and plays begin with a capital.
bool is_setting(std::string_view line) {
  if (line.starts_with("- ")) line.remove_prefix(2);
  if (line.starts_with('"')) line.remove_prefix(1);
  if (line.empty() || line[0] < 'a' || line[0] > 'z') return false;
  size_t end = 0;
  while (end < line.size() && (is_name(line[end]) || line[end] == '-' || line[end] == '.' || line[end] == '/')) ++end;
  if (end < line.size() && line[end] == '"') ++end;
  return end < line.size() && line[end] == ':' && (end + 1 == line.size() || line[end + 1] == ' ');
}

// A name with a bracket right after it, as in `call(x)` or `list[0]`.
bool has_call(std::string_view line) {
  for (size_t at = line.find_first_of("(["); at != kNone; at = line.find_first_of("([", at + 1)) {
    if (at > 0 && is_name(line[at - 1]) && line.substr(at, 3) != "(s)") return true;
  }
  return false;
}

bool looks_like_code(std::string_view line) {
  if (line.find_first_not_of("{}()[];,") == kNone) return true;
  const char last = line.back();
  if (last == '{' || last == '}' || line.ends_with("};") || line.ends_with(");") || line.ends_with("),")) return true;
  if (starts_with_one_of(line, kOpenings)) return true;
  if (std::find(kWhole.begin(), kWhole.end(), line) != kWhole.end()) return true;
  const bool ends_statement = last != '.' && last != ',' && last != '!' && last != '?';
  if (ends_statement && starts_with_one_of(line, kStatements) && std::count(line.begin(), line.end(), ' ') < 5)
    return true;
  if ((last == ':' || last == '(') && starts_with_one_of(line, kKeywords)) return true;
  const auto has = [&](std::string_view sign) { return line.find(sign) != kNone; };
  return std::any_of(kOperators.begin(), kOperators.end(), has) || is_setting(line) || has_call(line);
}

// The lines of a text, block by block.
class Blocks {
 public:
  void line(std::string_view line) {
    const size_t indent = indentation(line).size();
    const std::string_view words = line.substr(indent, line.find_last_not_of(" \t") + 1 - indent);
    if (words.empty()) {
      lines_.push_back(false);
      return;
    }
    const bool is_indented = indent >= 2 || line.starts_with('\t');
    if (!is_indented) end_block();
    lines_.push_back(is_indented);
    if (!is_indented) return;
    ++indented_;
    if (looks_like_code(words)) ++code_;
  }

  std::vector<bool> take() {
    end_block();
    if (!has_code_) lines_.clear();
    return std::move(lines_);
  }

 private:
  void end_block() {
    const bool is_code = code_ > 0 && 2 * code_ >= indented_;
    if (!is_code) std::fill(lines_.begin() + static_cast<std::ptrdiff_t>(block_), lines_.end(), false);
    has_code_ |= is_code;
    block_ = lines_.size();
    code_ = indented_ = 0;
  }

  std::vector<bool> lines_;
  size_t block_ = 0;  // Where the block begins.
  int64_t indented_ = 0;
  int64_t code_ = 0;
  bool has_code_ = false;
};

}  // namespace

std::string_view indentation(std::string_view line) {
  return line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
}

std::vector<bool> code_lines(std::string_view text) {
  const bool has_indented = text.starts_with("  ") || text.starts_with('\t') || text.find("\n  ") != kNone ||
                            text.find("\n\t") != kNone || text.find("\r  ") != kNone || text.find("\r\t") != kNone;
  if (!has_indented) return {};
  Blocks blocks;
  for_each_line(text, [&](std::string_view line, bool) { blocks.line(line); });
  return blocks.take();
}

}  // namespace tinyllm::corpus
