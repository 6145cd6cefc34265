#include <tinyllm/runtime/reason/look_alikes.h>
#include <tinyllm/runtime/reason/plain_text.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace tinyllm {
namespace {
// Within one another, as in \text{\text{...}}.
constexpr int kMaxBraces = 32;

constexpr std::array<std::pair<std::u32string_view, std::u32string_view>, 46> kCommands = {{
    {U"times", U"×"},       {U"cdot", U"×"},        {U"div", U"÷"},    {U"approx", U"≈"}, {U"le", U"≤"},
    {U"leq", U"≤"},         {U"leqslant", U"≤"},    {U"ge", U"≥"},     {U"geq", U"≥"},    {U"geqslant", U"≥"},
    {U"lt", U"<"},          {U"gt", U">"},          {U"ne", U"≠"},     {U"neq", U"≠"},    {U"pi", U"π"},
    {U"sqrt", U"√"},        {U"circ", U"°"},        {U"degree", U"°"}, {U"pm", U"±"},     {U"infty", U"∞"},
    {U"left", U""},         {U"right", U""},        {U"text", U""},    {U"textbf", U""},  {U"textit", U""},
    {U"textrm", U""},       {U"mathrm", U""},       {U"mathbf", U""},  {U"mathit", U""},  {U"mathsf", U""},
    {U"mbox", U""},         {U"boxed", U""},        {U"fbox", U""},    {U"bf", U""},      {U"rm", U""},
    {U"displaystyle", U""}, {U"operatorname", U""}, {U"quad", U" "},   {U"qquad", U" "},  {U"ldots", U"…"},
    {U"dots", U"…"},        {U"cdots", U"…"},       {U"to", U"→"},     {U"colon", U":"},  {U"big", U""},
    {U"Big", U""},
}};

struct Written {
  char32_t sign;
  std::u32string_view form;
};
constexpr std::array<Written, 18> kFractions = {{
    {0xBC, U"1/4"},
    {0xBD, U"1/2"},
    {0xBE, U"3/4"},
    {0x2150, U"1/7"},
    {0x2151, U"1/9"},
    {0x2152, U"1/10"},
    {0x2153, U"1/3"},
    {0x2154, U"2/3"},
    {0x2155, U"1/5"},
    {0x2156, U"2/5"},
    {0x2157, U"3/5"},
    {0x2158, U"4/5"},
    {0x2159, U"1/6"},
    {0x215A, U"5/6"},
    {0x215B, U"1/8"},
    {0x215C, U"3/8"},
    {0x215D, U"5/8"},
    {0x215E, U"7/8"},
}};

// Units in one character.
constexpr std::array<Written, 13> kUnits = {{
    {0x338E, U"mg"},
    {0x338F, U"kg"},
    {0x339C, U"mm"},
    {0x339D, U"cm"},
    {0x339E, U"km"},
    {0x33A0, U"cm^2"},
    {0x33A1, U"m^2"},
    {0x33A2, U"km^2"},
    {0x33A4, U"cm^3"},
    {0x33A5, U"m^3"},
    {0x3396, U"ml"},
    {0x33C4, U"cc"},
    {0x2113, U"l"},
}};

// The digit, sign or nothing that a superscript stands for.
char32_t superscript(char32_t c) {
  if (c == 0xB2 || c == 0xB3) return '2' + (c - 0xB2);
  if (c == 0xB9) return '1';
  if (c == 0x2070 || (c >= 0x2074 && c <= 0x2079)) return '0' + (c - 0x2070);
  return c == 0x207B ? '-' : 0;
}

class Plain {
 public:
  explicit Plain(std::u32string_view text) : in_(text) {}

  std::u32string run() {
    while (at_ < in_.size()) step(0);
    return std::move(out_);
  }

 private:
  char32_t peek(size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : 0; }
  char32_t last() const { return out_.empty() ? 0 : out_.back(); }

  // Appends a fraction; a whole number before it becomes a mixed one.
  void fraction(std::u32string_view form) {
    if (is_digit(last())) out_ += U' ';
    out_ += form;
  }

  void step(int depth) {
    const char32_t c = in_[at_];
    if (c == '\\') return command(depth);
    if (c == '{' && peek(1) == ',' && peek(2) == '}') {
      out_ += U',';
      at_ += 3;
      return;
    }
    if (c == '^' && peek(1) == '{') return exponent(depth);
    ++at_;
    if (superscript(c) != 0) {
      if (last() != '^') out_ += U'^';
      out_ += superscript(c);
      while (superscript(peek()) != 0) out_ += superscript(in_[at_++]);
      return;
    }
    if (c >= 0x2080 && c <= 0x2089) {  // x₁ is x1.
      out_ += static_cast<char32_t>(U'0' + (c - 0x2080));
      return;
    }
    for (const Written& row : kFractions)
      if (row.sign == c) return fraction(row.form);
    for (const Written& row : kUnits) {
      if (row.sign != c) continue;
      out_ += row.form;
      return;
    }
    out_ += c;
  }

  // What a command is followed by: a group in braces without them, or one character.
  std::u32string argument(int depth) {
    while (peek() == ' ') ++at_;
    std::u32string outer = std::exchange(out_, {});
    if (peek() != '{') {
      if (at_ < in_.size()) step(depth + 1);
    } else if (depth < kMaxBraces) {
      ++at_;
      while (at_ < in_.size() && peek() != '}') {
        if (peek() == '{') {
          out_ += argument(depth + 1);
        } else {
          step(depth + 1);
        }
      }
      ++at_;
    } else {
      at_ = in_.size();
    }
    at_ = std::min(at_, in_.size());
    return std::exchange(out_, std::move(outer));
  }

  void exponent(int depth) {
    ++at_;
    const std::u32string power = argument(depth + 1);
    if (power != U"°") out_ += U'^';
    out_ += power;
  }

  void command(int depth) {
    ++at_;
    std::u32string name;
    while (is_letter(peek())) name += in_[at_++];
    if (name.empty()) {
      const char32_t c = peek();
      at_ += at_ < in_.size();
      if (c == '%' || c == '$' || c == '{' || c == '}' || c == '#' || c == '&' || c == '_') out_ += c;
      if (c == ';' || c == ' ' || c == '\\' || c == ':') out_ += U' ';
      return;  // \( \) \[ \] \, \! are looks alone.
    }
    if (depth > kMaxBraces) return;
    if (name == U"frac" || name == U"dfrac" || name == U"tfrac" || name == U"cfrac") {
      const std::u32string above = argument(depth + 1);
      const std::u32string below = argument(depth + 1);
      const auto part = [](const std::u32string& text) {
        const size_t sign = text.starts_with(U'-') ? 1 : 0;
        const bool is_plain = text.size() > sign && std::all_of(text.begin() + static_cast<ptrdiff_t>(sign), text.end(),
                                                                [](char32_t c) { return is_digit(c); });
        return is_plain ? text : U'(' + text + U')';
      };
      return fraction(part(above) + U'/' + part(below));
    }
    if (name == U"dot") {  // A repeating decimal.
      out_ += argument(depth + 1);
      out_ += U'\x307';
      return;
    }
    if (name == U"overline") {
      out_ += U'(';
      out_ += argument(depth + 1);
      out_ += U')';
      return;
    }
    const auto* found =
        std::find_if(kCommands.begin(), kCommands.end(), [&](const auto& row) { return row.first == name; });
    if (found == kCommands.end()) {
      out_ += name;
      return;
    }
    if (found->second == U"°" && last() == '^') out_.pop_back();
    out_ += found->second;
    if (found->second.empty() || found->second == U"√") {
      if (peek() == '{') out_ += argument(depth + 1);
    }
  }

  std::u32string_view in_;
  size_t at_ = 0;
  std::u32string out_;
};

// Without ** and `, but 2**3 keeps its power.
std::u32string without_markdown(std::u32string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '`') continue;
    if (text[i] == '*' && i + 1 < text.size() && text[i + 1] == '*') {
      const auto is_operand = [](char32_t c) { return is_digit(c) || c == '(' || c == ')'; };
      const bool is_power = i > 0 && i + 2 < text.size() && is_operand(text[i - 1]) && is_operand(text[i + 2]);
      if (!is_power) {
        ++i;
        continue;
      }
      out += U"**";
      ++i;
      continue;
    }
    out += text[i];
  }
  return out;
}
}  // namespace

std::string utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) append_character(out, c);
  return out;
}

std::u32string_view trimmed(std::u32string_view text) {
  constexpr std::u32string_view kBefore = U" \t\r\n,;:。、!?…“\"'「";
  constexpr std::u32string_view kAfter = U" \t\r\n,;:。、!?.“”\"'」";
  while (!text.empty() && kBefore.find(text.front()) != std::u32string_view::npos) text.remove_prefix(1);
  while (!text.empty() && kAfter.find(text.back()) != std::u32string_view::npos) text.remove_suffix(1);
  return text;
}

std::u32string plain_text(std::string_view text) {
  const std::string valid = valid_utf8(text) == text.size() ? std::string(text) : replace_invalid_utf8(text);
  std::u32string characters;
  for (size_t at = 0; at < valid.size();) characters += ascii_form(next_character(valid, at));
  std::u32string plain = Plain(without_markdown(characters)).run();
  // A pair of dollars is around a formula; a single one is money.
  if (std::count(plain.begin(), plain.end(), U'$') % 2 == 0) std::erase(plain, U'$');
  std::u32string out;
  for (const char32_t c : plain) {
    const bool is_blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (is_blank && (out.empty() || out.back() == ' ')) continue;
    out += is_blank ? U' ' : c;
  }
  while (out.ends_with(U' ')) out.pop_back();
  return out;
}

}  // namespace tinyllm
