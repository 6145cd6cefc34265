#include <tinyllm/runtime/reason/calculator_signs.h>
#include <tinyllm/runtime/reason/equation_signs.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tinyllm {
namespace {
constexpr std::array<std::pair<std::string_view, char>, 6> kCommands = {
    {{"times", '*'}, {"cdot", '*'}, {"div", '/'}, {"approx", EquationSigns::kAbout}, {"left", ' '}, {"right", ' '}}};

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The sign of a character beyond ASCII that the calculator does not know.
char sign_of_word(char32_t c, std::string_view behind) {
  constexpr std::u32string_view kScales = U"万亿百十成折又几负点半";
  if (kScales.find(c) != std::u32string_view::npos) return EquationSigns::kScale;
  if (c == U'千') {  // But 12千米 is 12 of something.
    for (const std::string_view unit : {"米", "克", "瓦", "卡", "焦"})
      if (behind.starts_with(unit)) return EquationSigns::kWord;
    return EquationSigns::kScale;
  }
  if (c == U'分' && behind.starts_with("之")) return EquationSigns::kScale;
  if (c == U'之') return EquationSigns::kScale;
  if (c == U'…' || c == U'余') return EquationSigns::kRemainder;
  if (c == U'≈') return EquationSigns::kAbout;
  const bool is_punctuation = (c >= 0x3001 && c <= 0x303F) || (c >= 0x2010 && c <= 0x206F) ||
                              (c >= 0x2190 && c <= 0x21FF) || c == U'∴' || c == U'∵';
  if (is_punctuation) return EquationSigns::kSeparator;
  const bool is_letter = c < 0x2000 || (c >= 0x2070 && c <= 0x22FF);  // Greek, ², √ and others of mathematics.
  return is_letter ? EquationSigns::kLetter : EquationSigns::kWord;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), valid_(valid_utf8(text)) {}

  EquationSigns run() {
    while (at_ < text_.size()) step();
    result_.bytes.push_back(text_.size());
    return std::move(result_);
  }

 private:
  void add(char sign, size_t byte) {
    result_.signs += sign;
    result_.bytes.push_back(byte);
  }

  void step() {
    const size_t begin = at_;
    if (at_ >= valid_) {
      ++at_;
      valid_ = at_ + valid_utf8(text_.substr(at_));
      return add(EquationSigns::kLetter, begin);
    }
    if (text_[at_] == '\\') return command();
    for (const std::string_view about : {"大约等于", "约等于", "约为", "约是", "大约", "约"}) {
      if (!text_.substr(at_).starts_with(about)) continue;
      at_ += about.size();
      return add(EquationSigns::kAbout, begin);
    }
    if (is_remainder()) {
      at_ += text_[at_] == 'R' ? 1 : std::string_view("remainder").size();
      return add(EquationSigns::kRemainder, begin);
    }
    const char last = begin > 0 ? text_[begin - 1] : '\n';
    if (last == ' ' && text_.substr(at_).starts_with("-- ")) {  // A dash of LaTeX.
      at_ += 2;
      return add('-', begin);
    }
    const char32_t original = next_character(text_, at_);
    const char next = at_ < text_.size() ? text_[at_] : ' ';
    if (original == 0x2012 || original == 0x2013)  // 97 – 12 is a difference, 3–5 a range.
      return add(last == ' ' && next == ' ' ? '-' : EquationSigns::kLetter, begin);
    if (original == U'．') {  // The end of a sentence, unless it may be a point.
      const bool is_point = is_ascii_digit(last) && is_ascii_digit(next);
      return add(is_point ? EquationSigns::kLetter : EquationSigns::kSeparator, begin);
    }
    if (original >= 0x2300 && original <= 0x2BFF)  // An operator of its own, as 2◆3, or a mark before a line.
      return add(is_ascii_digit(last) || last == ')' ? EquationSigns::kLetter : EquationSigns::kSeparator, begin);
    add(sign_of(original), begin);
  }

  // 5 R 2
  bool is_remainder() const {
    const std::string_view rest = text_.substr(at_);
    const bool in_word = at_ > 0 && is_ascii_letter(text_[at_ - 1]);
    if (in_word || (!rest.starts_with('R') && !rest.starts_with("remainder"))) return false;
    const size_t next = rest.find_first_not_of(" $", rest[0] == 'R' ? 1 : std::string_view("remainder").size());
    return next < rest.size() && is_ascii_digit(rest[next]);
  }

  char sign_of(char32_t original) const {
    if (original == '\n' || original == '\r') return EquationSigns::kLine;
    if (original == U'，') return EquationSigns::kSeparator;  // Between equations; a comma of ASCII may be in a number.
    const char32_t c = ascii_form(original);
    if (c == U'$' || c == U'¥' || c == U'€' || c == U'£' || c == '\t') return ' ';
    if (c == U'e' || c == U'E') return EquationSigns::kLetter;
    if (c == '<' || c == '>' || c == '!') return c == '!' ? EquationSigns::kLetter : EquationSigns::kSeparator;
    const std::string_view sign = calculator_sign(c);
    if (sign.size() == 1) return sign[0];
    if (c >= 0x80) return sign.empty() ? sign_of_word(c, text_.substr(at_)) : EquationSigns::kSeparator;
    if (c == ':') return EquationSigns::kColon;
    constexpr std::string_view kLetters = "|_@&\\'^~";
    if (is_ascii_letter(static_cast<char>(c)) || kLetters.find(static_cast<char>(c)) != std::string_view::npos)
      return EquationSigns::kLetter;
    return EquationSigns::kSeparator;
  }

  void command() {
    const size_t begin = at_;
    size_t end = ++at_;
    while (end < text_.size() && is_ascii_letter(text_[end])) ++end;
    const std::string_view name = text_.substr(at_, end - at_);
    if (name.empty()) return add(text_.substr(at_).starts_with('%') ? ' ' : EquationSigns::kSeparator, begin);
    at_ = end;
    const auto* found =
        std::find_if(kCommands.begin(), kCommands.end(), [&](const auto& row) { return row.first == name; });
    add(found == kCommands.end() ? EquationSigns::kLetter : found->second, begin);
  }

  std::string_view text_;
  size_t valid_;  // Up to where the text is UTF-8.
  size_t at_ = 0;
  EquationSigns result_;
};
}  // namespace

EquationSigns equation_signs(std::string_view text) { return Reader(text).run(); }

bool is_equation_sign(char sign) {
  constexpr std::string_view kSigns = "0123456789.,+-*/^%()[]{}=~ \x80";
  return kSigns.find(sign) != std::string_view::npos;
}

}  // namespace tinyllm
