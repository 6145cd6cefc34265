#include <tinyllm/model/text/jinja/lexer.h>

#include <tinyllm/model/text/jinja/characters.h>
#include <tinyllm/model/text/jinja/literals.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm::jinja {
namespace {

using Kind = Token::Kind;

// Converts all line ends to line feeds, and removes the last one.
std::string normalised(std::string_view source) {
  std::string text;
  for (size_t i = 0; i < source.size(); ++i) {
    const bool crlf = source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n';
    if (!crlf) text += source[i] == '\r' ? '\n' : source[i];
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return is_ascii_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(source) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) data();
    add(Kind::end, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const { throw Error("line {}: {}", line_, what); }

  void add(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  // Moves to a position, and counts the lines on the way.
  void go_to(size_t place) {
    line_ += static_cast<int>(
        std::count(text_.begin() + static_cast<ptrdiff_t>(at_), text_.begin() + static_cast<ptrdiff_t>(place), '\n'));
    at_ = place;
  }

  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  // The text before a tag, without the blanks that the tag's sign or lstrip_blocks removes.
  std::string_view before_tag(std::string_view before, char sign, bool output) const {
    if (sign == '-') {
      while (!before.empty()) {
        const size_t last = previous_character(before, before.size());
        if (skip_spaces(before, last) == last) break;
        before = before.substr(0, last);
      }
      return before;
    }
    if (sign == '+' || output) return before;
    const size_t line = before.rfind('\n') + 1;
    const bool only_spaces = skip_spaces(before, line) == before.size();
    return only_spaces && (line > 0 || line_starts_) ? before.substr(0, line) : before;
  }

  char sign() const {
    return at_ + 2 < text_.size() && (text_[at_ + 2] == '-' || text_[at_ + 2] == '+') ? text_[at_ + 2] : ' ';
  }

  // Reads the text up to the next tag, and the tag's opening.
  void data() {
    size_t tag = at_;
    for (;; ++tag) {
      tag = std::min(text_.find('{', tag), text_.size());
      if (tag + 1 >= text_.size()) tag = text_.size();
      if (tag == text_.size() || text_[tag + 1] == '{' || text_[tag + 1] == '%' || text_[tag + 1] == '#') break;
    }
    const std::string_view before = text_.substr(at_, tag - at_);
    const int line = line_;
    go_to(tag);
    if (tag == text_.size()) return add_data(before, line);
    const bool output = text_[tag + 1] == '{';
    add_data(before_tag(before, sign(), output), line);
    const bool comment = text_[tag + 1] == '#';
    go_to(tag + (sign() == ' ' ? 2 : 3));
    if (comment) return this->comment();
    if (output) return this->tag(Kind::output_begin, Kind::output_end);
    if (!raw()) this->tag(Kind::tag_begin, Kind::tag_end);
  }

  void add_data(std::string_view data, int line) {
    if (!data.empty()) tokens_.push_back({Kind::data, std::string(data), line});
  }

  // Skips what a tag removes after it: all blanks if the tag ends with `-`; else one line feed after a block
  // (trim_blocks).
  void after_tag(size_t end, char sign, bool output) {
    go_to(sign == '-' ? skip_spaces(text_, end) : end);
    if (sign == ' ' && !output && at_ < text_.size() && text_[at_] == '\n') go_to(at_ + 1);
    line_starts_ = text_[at_ - 1] == '\n';
  }

  void comment() {
    const size_t end = text_.find("#}", at_);
    if (end == std::string_view::npos) refuse("the comment has no end");
    const char last = end > at_ ? text_[end - 1] : ' ';
    after_tag(end + 2, last == '-' || last == '+' ? last : ' ', false);
  }

  // After `{%`: the tag `raw` and the text up to `endraw`. False when it is another tag.
  bool raw() {
    size_t place = at_;
    if (!word_and_end("raw", place)) return false;
    const bool strips = text_[place - 3] == '-';
    go_to(strips ? skip_spaces(text_, place) : place);
    line_starts_ = text_[at_ - 1] == '\n';
    for (size_t tag = text_.find("{%", at_); tag != std::string_view::npos; tag = text_.find("{%", tag + 1)) {
      const char open = tag + 2 < text_.size() ? text_[tag + 2] : ' ';
      const bool has_sign = open == '-' || open == '+';
      size_t end = tag + (has_sign ? 3 : 2);
      if (!word_and_end("endraw", end)) continue;
      add_data(before_tag(text_.substr(at_, tag - at_), has_sign ? open : ' ', false), line_);
      const char last = text_[end - 3];
      after_tag(end, last == '-' || last == '+' ? last : ' ', false);
      return true;
    }
    refuse("raw has no endraw");
  }

  // Whether a word and `%}` are at a position; if so, moves it past them.
  bool word_and_end(std::string_view word, size_t& place) const {
    size_t at = skip_spaces(text_, place);
    if (!text_.substr(at).starts_with(word)) return false;
    at = skip_spaces(text_, at + word.size());
    if (at < text_.size() && (text_[at] == '-' || text_[at] == '+')) ++at;
    if (!text_.substr(at).starts_with("%}")) return false;
    place = at + 2;
    return true;
  }

  void tag(Kind begin, Kind end) {
    const bool output = begin == Kind::output_begin;
    const std::string_view mark = output ? "}}" : "%}";
    const int line = line_;
    add(begin, "");
    std::string open;  // The open brackets within the tag.
    for (;;) {
      go_to(skip_spaces(text_, at_));
      if (at_ == text_.size()) throw Error("line {}: the tag has no end", line);
      const bool signed_end = (starts("-") || (starts("+") && !output)) && text_.substr(at_ + 1).starts_with(mark);
      if (open.empty() && (signed_end || starts(mark))) {
        const char sign = signed_end ? text_[at_] : ' ';
        add(end, "");
        return after_tag(at_ + (signed_end ? 3 : 2), sign, output);
      }
      token(open);
    }
  }

  void token(std::string& open) {
    const char c = text_[at_];
    if (c == '"' || c == '\'') return string(c);
    if (is_digit(c)) return number();
    if (is_name_start(c)) {
      size_t end = at_;
      while (end < text_.size() && is_name_part(text_[end])) ++end;
      add(Kind::name, std::string(text_.substr(at_, end - at_)));
      return go_to(end);
    }
    static constexpr std::string_view kOperators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                      "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                      ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    for (const std::string_view op : kOperators) {
      if (!starts(op)) continue;
      if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
      if (c == ')' || c == ']' || c == '}') {
        if (open.empty() || open.back() != c) refuse(fmt::format("unexpected '{}'", c));
        open.pop_back();
      }
      add(Kind::op, std::string(op));
      return go_to(at_ + op.size());
    }
    refuse(fmt::format("unexpected character '{}'", c));
  }

  void string(char quote) {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) refuse("the string has no end");
    add(Kind::string, unescape(text_.substr(at_ + 1, end - at_ - 1), line_));
    go_to(end + 1);
  }

  // Reads digits, with `_` between them. The number is a float if it has a fraction or an exponent.
  void number() {
    size_t end = at_;
    const auto digits = [&](size_t place) {
      while (place < text_.size() && (is_digit(text_[place]) || (text_[place] == '_' && place > at_))) ++place;
      return place;
    };
    const auto digit_at = [&](size_t place) { return place < text_.size() && is_digit(text_[place]); };
    end = digits(end);
    // After a dot, as in `x.0.1`, numbers are indices.
    const bool index = !tokens_.empty() && tokens_.back().text == "." && tokens_.back().kind == Kind::op;
    bool real = false;
    if (!index && end < text_.size() && text_[end] == '.' && digit_at(end + 1)) {
      end = digits(end + 1);
      real = true;
    }
    if (!index && end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      const size_t sign = end + 1 < text_.size() && (text_[end + 1] == '-' || text_[end + 1] == '+') ? 1 : 0;
      if (digit_at(end + 1 + sign)) {
        end = digits(end + 1 + sign);
        real = true;
      }
    }
    std::string text(text_.substr(at_, end - at_));
    std::erase(text, '_');
    add(real ? Kind::real : Kind::integer, std::move(text));
    go_to(end);
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starts_ = true;  // Whether the line so far has only blanks that a tag removed.
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  const std::string text = normalised(source);
  return Lexer(text).run();
}

}  // namespace tinyllm::jinja
