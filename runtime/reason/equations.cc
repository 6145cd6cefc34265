#include <tinyllm/runtime/reason/calculator.h>
#include <tinyllm/runtime/reason/equation_signs.h>
#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/runtime/reason/number_form.h>
#include <tinyllm/runtime/reason/number_literal.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace tinyllm {
namespace {
using Signs = EquationSigns;

constexpr size_t kMaxSide = 512;
// How many places to cut a side at are tried.
constexpr int kMaxCuts = 8;
// Signs of a unit behind a number that are looked at.
constexpr size_t kMaxNote = 16;

// A part of the signs, and what it is worth.
struct Side {
  size_t begin = 0;
  size_t end = 0;
  Rational value = {};
};

/// Finds equations in the signs of a text, run by run of what can belong to one.
class Finder {
 public:
  Finder(std::string_view text, const EquationSigns& signs) : text_(text), signs_(signs.signs), bytes_(signs.bytes) {}

  std::vector<Equation> run() {
    for (size_t at = 0; at < signs_.size();) {
      if (!is_equation_sign(signs_[at])) {
        ++at;
        continue;
      }
      size_t end = at;
      while (end < signs_.size() && is_equation_sign(signs_[end])) ++end;
      read_run(at, end);
      at = end;
    }
    return std::move(found_);
  }

 private:
  char sign(size_t at) const { return at < signs_.size() ? signs_[at] : Signs::kLine; }
  // The first place of a sign in [begin, end), or `end`.
  size_t place_of(char c, size_t begin, size_t end) const {
    const size_t found = std::string_view(signs_).substr(begin, end - begin).find(c);
    return found == std::string_view::npos ? end : begin + found;
  }
  char before(size_t at) const { return at > 0 ? signs_[at - 1] : Signs::kLine; }

  // Splits a run at its = and ≈, and follows the chain from left to right.
  void read_run(size_t begin, size_t end) {
    run_begin_ = begin;
    run_end_ = end;
    std::vector<Side> chain;  // Of the equation that is being read.
    std::vector<bool> about;  // How each side but the first is linked to the one before.
    bool link = false;
    for (size_t at = begin; at <= end;) {
      size_t stop = at;
      while (stop < end && signs_[stop] != '=' && signs_[stop] != Signs::kAbout) ++stop;
      const bool is_last = stop == end;
      read_side(at, stop, is_last, link, chain, about);
      link = false;
      for (at = stop; at < end && (signs_[at] == '=' || signs_[at] == Signs::kAbout || signs_[at] == ' '); ++at)
        link |= signs_[at] == Signs::kAbout;
      if (is_last) break;
    }
    finish(chain, about);
  }

  void read_side(size_t begin, size_t end, bool is_last, bool link, std::vector<Side>& chain,
                 std::vector<bool>& about) {
    while (begin < end && signs_[begin] == ' ') ++begin;
    while (begin < end && signs_[end - 1] == ' ') --end;
    const auto add = [&](Side side) {
      if (!chain.empty()) about.push_back(link);
      chain.push_back(std::move(side));
    };
    const bool is_first = begin_of_run(begin);
    if (!is_first && !is_last) {
      if (std::optional<Side> whole = computed(begin, end)) {
        if (!splits_at_comma(*whole, link, chain)) return add(*std::move(whole));
      }
    }
    // The end of this equation, then the beginning of another one.
    if (!is_first || !chain.empty()) {
      if (std::optional<Side> side = chain.empty() ? std::nullopt : beginning(begin, end, is_last))
        add(*std::move(side));
      finish(chain, about);
    }
    if (!is_last) {
      if (std::optional<Side> side = ending(begin, end, is_first)) chain.push_back(*std::move(side));
    }
  }

  bool begin_of_run(size_t at) const {
    return std::all_of(signs_.begin() + static_cast<ptrdiff_t>(run_begin_), signs_.begin() + static_cast<ptrdiff_t>(at),
                       [](char c) { return c == ' '; });
  }

  std::optional<Side> computed(size_t begin, size_t end) const {
    while (begin < end && signs_[begin] == ' ') ++begin;
    while (begin < end && signs_[end - 1] == ' ') --end;
    if (begin == end || end - begin > kMaxSide || is_ambiguous(begin, end)) return {};
    const Calculated result = calculate(std::string_view(signs_).substr(begin, end - begin));
    if (const auto* value = std::get_if<Rational>(&result)) return Side{begin, end, *value};
    return {};
  }

  // 6÷1/2, 6 / 1/2: whether a fraction may be meant.
  bool is_ambiguous(size_t begin, size_t end) const {
    const auto is_slash = [&](size_t at) { return text_[bytes_[at]] == '/'; };
    const auto is_wide = [&](size_t at) { return before(at) == ' ' || sign(at + 1) == ' '; };
    for (size_t at = place_of('/', begin, end); at < end; at = place_of('/', at + 1, end)) {
      size_t next = at + 1;
      while (next < end && (signs_[next] == ' ' || signs_[next] == '.' || is_digit(signs_[next]))) ++next;
      if (next >= end || signs_[next] != '/' || !is_slash(next)) continue;
      if (!is_slash(at) || (is_wide(at) && !is_wide(next))) return true;
    }
    return false;
  }

  // 3+4=7,200+1=201: whether the comma is one between equations and not of thousands.
  bool splits_at_comma(const Side& side, bool link, const std::vector<Side>& chain) const {
    const size_t comma = place_of(',', side.begin, side.end);
    if (comma == side.end || chain.empty() || link) return false;
    const std::optional<Side> left = computed(side.begin, comma);
    return left && side.value != chain.back().value && left->value == chain.back().value;
  }

  // Whether a side may be cut before or behind the sign at a place, as between two equations in one line.
  bool is_cut(size_t at) const {
    const char c = signs_[at];
    if (c == ',') return true;
    if (c == ' ') return !(is_digit(before(at)) && is_thousand(at + 1));
    if (c != '.') return false;
    const char next = sign(at + 1);
    return !is_digit(next) && next != '.' && next != Signs::kLetter &&
           before(at) != '.';  // 3...2 is a quotient and its remainder.
  }

  // 1 234: three digits alone.
  bool is_thousand(size_t at) const {
    return is_digit(sign(at)) && is_digit(sign(at + 1)) && is_digit(sign(at + 2)) && !is_digit(sign(at + 3));
  }

  // The longest part at the end of [begin, end) that can be computed and begins where an equation may.
  std::optional<Side> ending(size_t begin, size_t end, bool is_first) const {
    if (is_first) begin = behind_marks(begin, end);
    const size_t least = std::max(begin, end - std::min(end, kMaxSide));
    std::vector<size_t> starts;
    size_t at = end;
    for (int depth = 0, cuts = 0; at > least && cuts < kMaxCuts; --at) {
      const char c = signs_[at - 1];
      depth += closes(c) - opens(c);
      if (depth < 0) {  // (3+4=7), but not f(2)=5
        if (is_joined(at - 1)) return {};
        starts.push_back(at);
        break;
      }
      if (depth > 0 || !is_cut(at - 1)) continue;
      // 3 + 4: what an operator joins is no side of its own. 7 1/2: nor is the fraction of a mixed number. 16,0000: nor
      // is a part of a number.
      if (is_joined_by_operator(at, begin) || is_mixed_fraction(at, end)) continue;
      if (is_first && c == ',' && is_digit(sign(at)) && at > 1 && is_digit(signs_[at - 2])) continue;
      if (multiplies(at, begin)) continue;
      starts.push_back(at);
      ++cuts;
    }
    if (at == begin && is_first && may_touch_left(begin, end)) starts.push_back(begin);
    std::reverse(starts.begin(), starts.end());
    for (const size_t start : starts)
      if (std::optional<Side> side = computed(start, end)) return side;
    return {};
  }

  // Whether a bracket touches something before it that it is multiplied by or applied to.
  bool is_joined(size_t bracket) const {
    while (before(bracket) == ' ') --bracket;
    const char c = before(bracket);
    return is_digit(c) || closes(c) != 0 || c == Signs::kLetter ||
           std::string_view("+-*/^").find(c) != std::string_view::npos;
  }

  // (1/2) 18 is a product, but (1) 3+4 is a step.
  bool multiplies(size_t start, size_t begin) const {
    while (start > begin && signs_[start - 1] == ' ') --start;
    if (start == begin || closes(signs_[start - 1]) == 0) return false;
    size_t open = start - 1;
    while (open > begin && is_digit(signs_[open - 1])) --open;
    return open == start - 1 || open != begin + 1 || signs_[begin] != '(';
  }

  bool is_joined_by_operator(size_t start, size_t begin) const {
    constexpr std::string_view kOperators = "+-*/^";
    size_t left = start;
    while (left > begin && signs_[left - 1] == ' ') --left;
    size_t right = start;
    while (right < run_end_ && signs_[right] == ' ') ++right;
    const bool follows = left > begin && kOperators.find(signs_[left - 1]) != std::string_view::npos;
    return follows || kOperators.find(sign(right)) != std::string_view::npos;
  }

  bool is_mixed_fraction(size_t begin, size_t end) const {
    size_t at = begin;
    while (at < end && is_digit(signs_[at])) ++at;
    if (at == begin || at >= end || signs_[at] != '/' || !is_digit(sign(at + 1))) return false;
    size_t left = begin;
    while (left > run_begin_ && signs_[left - 1] == ' ') --left;
    return left < begin && is_digit(before(left));
  }

  // Behind marks of Markdown at the beginning of a line: - 3+4=7, **3+4=7**.
  size_t behind_marks(size_t begin, size_t end) const {
    const bool at_line = before(run_begin_) == Signs::kLine;
    if (at_line && begin + 1 < end && signs_[begin + 1] == ' ' &&
        (signs_[begin] == '-' || signs_[begin] == '*' || signs_[begin] == '+'))
      begin += 2;
    if (before(run_begin_) != Signs::kLetter && signs_.compare(begin, 2, "**") == 0) begin = std::min(begin + 2, end);
    while (begin < end && signs_[begin] == ' ') ++begin;
    return begin;
  }

  // Whether the first side may begin where its run does: what is before the run does not belong to it.
  bool may_touch_left(size_t begin, size_t end) const {
    const char left = before(run_begin_);
    const bool touches = begin == run_begin_;
    const bool is_operator = begin < end && std::string_view("+-*/^%").find(signs_[begin]) != std::string_view::npos;
    if (is_operator && left != Signs::kLine && left != Signs::kSeparator && left != Signs::kColon) return false;
    if (left == Signs::kLetter) {
      const bool is_variable = run_begin_ < 2 || signs_[run_begin_ - 2] != Signs::kLetter;
      // 12 and 1/4 = 12.25: a number behind a word may be part of one.
      return !touches && !is_variable && !form_of({begin, end, {}}).is_number;
    }
    if (left == Signs::kScale || left == Signs::kRemainder) return false;
    // A ratio: 3:5=6:10
    if (left == Signs::kColon) {
      size_t colon = run_begin_ - 1;
      while (before(colon) == ' ') --colon;
      return !is_digit(before(colon)) || !form_of({begin, end, {}}).is_number;
    }
    return true;
  }

  // The longest part at the beginning of [begin, end) that can be computed and ends where an equation may.
  std::optional<Side> beginning(size_t begin, size_t end, bool is_last) const {
    const size_t most = std::min(end, begin + kMaxSide);
    std::vector<size_t> stops;
    size_t at = begin;
    for (int depth = 0, cuts = 0; at < most && cuts < kMaxCuts; ++at) {
      const char c = signs_[at];
      // 12/4=3(个) and (3+4=7): a bracket whose other one is not here is not about the value.
      if ((opens(c) && depth == 0 && !is_closed(at, end)) || (closes(c) && depth == 0)) {
        if (closes(c) || is_note(at)) stops.push_back(at);
        break;
      }
      if (c == '*' && depth == 0 && ends_in_stars(at, end)) {
        stops.push_back(at);
        break;
      }
      depth += opens(c) - closes(c);
      if (depth > 0 || !is_cut(at) || goes_on(at, end)) continue;
      stops.push_back(at);
      ++cuts;
    }
    if (at == end && is_last && may_touch_right(end)) stops.push_back(end);
    std::reverse(stops.begin(), stops.end());
    for (const size_t stop : stops)
      if (std::optional<Side> side = computed(begin, stop); side && !has_remainder(stop)) return side;
    return {};
  }

  static int opens(char c) { return c == '(' || c == '[' || c == '{' ? 1 : 0; }
  static int closes(char c) { return c == ')' || c == ']' || c == '}' ? 1 : 0; }

  bool is_closed(size_t open, size_t end) const {
    int depth = 0;
    for (size_t at = open; at < std::min(end, open + kMaxSide); ++at)
      if ((depth += opens(signs_[at]) - closes(signs_[at])) == 0) return true;
    return false;
  }

  // (个), (cm): words alone.
  bool is_note(size_t open) const {
    for (size_t at = open + 1; at < signs_.size() && at < open + kMaxNote; ++at) {
      if (closes(signs_[at]) != 0) return true;
      if (signs_[at] != Signs::kWord && signs_[at] != Signs::kLetter && signs_[at] != ' ') return false;
    }
    return false;
  }

  // 17÷5=3(组)……2: whether a quotient is followed by its remainder, perhaps behind a unit.
  bool has_remainder(size_t at) const {
    int stars = 0;
    for (size_t next = at; next < signs_.size() && next < at + kMaxNote; ++next) {
      const char c = signs_[next];
      if (c == Signs::kRemainder || signs_.compare(next, 3, "...") == 0) return true;
      stars += c == '*';
      if (stars > 1 && is_digit(c)) return true;  // 3 behind several dots of LaTeX
      const bool is_unit =
          c == ' ' || c == '*' || c == Signs::kWord || c == Signs::kLetter || opens(c) != 0 || closes(c) != 0;
      if (!is_unit) return false;
    }
    return false;
  }

  // **3+4=7**
  bool ends_in_stars(size_t at, size_t end) const {
    const std::string_view rest = std::string_view(signs_).substr(at, std::min(end - at, size_t{8}));
    return end - at < 8 && rest.find_first_not_of("* .") == std::string_view::npos && sign(end) != Signs::kLetter;
  }

  // 7 1/2 is not 7, nor is 7 + x.
  bool goes_on(size_t at, size_t end) const {
    size_t next = at;
    while (next < end && signs_[next] == ' ') ++next;
    size_t digits = next;
    while (digits < end && is_digit(signs_[digits])) ++digits;
    if (next > at && digits > next && sign(digits) == '/' && is_digit(sign(digits + 1))) return true;
    constexpr std::string_view kOperators = "+-/^%";
    if (next < end && kOperators.find(signs_[next]) != std::string_view::npos) return true;
    return next == end && next > at && sign(end) == Signs::kScale;
  }

  // Whether the last side may end where its run does.
  bool may_touch_right(size_t end) const {
    const char right = sign(run_end_);
    if (right == Signs::kScale) return false;
    if (right == Signs::kColon) {
      size_t next = run_end_ + 1;
      while (sign(next) == ' ') ++next;
      return !is_digit(sign(next));
    }
    if (right != Signs::kLetter || end != run_end_) return true;
    return sign(run_end_ + 1) == Signs::kLetter;  // 7x is not 7; 7cm is.
  }

  // Adds the equation that the sides make.
  void finish(std::vector<Side>& chain, std::vector<bool>& about) {
    Equation equation;
    for (size_t i = 0; i < chain.size(); ++i) {
      EquationSide side;
      side.begin = bytes_[chain[i].begin];
      side.end = bytes_[chain[i].end];
      const NumberForm form = form_of(chain[i]);
      side.is_number = form.is_number;
      if (i > 0) {
        side.is_approximate = about[i - 1];
        if (!side.is_approximate) {
          side.holds = chain[i - 1].value == chain[i].value;
          if (!side.holds && leaves_out_percent(chain[i - 1], chain[i])) break;
        } else if (form.is_literal) {
          side.holds = form.rounds(chain[i - 1].value, chain[i].value);
        } else {
          break;  // To how many digits is not said.
        }
      }
      side.value = std::move(chain[i].value);
      equation.sides.push_back(std::move(side));
    }
    if (equation.sides.size() > 1) found_.push_back(std::move(equation));
    chain.clear();
    about.clear();
  }

  NumberForm form_of(const Side& side) const {
    return number_form(std::string_view(signs_).substr(side.begin, side.end - side.begin));
  }

  // 100-50=50%: a sign that only one side has may be a unit.
  bool leaves_out_percent(const Side& left, const Side& right) const {
    const auto has_percent = [&](const Side& side) { return place_of('%', side.begin, side.end) < side.end; };
    if (has_percent(left) == has_percent(right)) return false;
    Arithmetic arithmetic;
    return has_percent(right) ? arithmetic.product(right.value, 100) == left.value
                              : arithmetic.product(left.value, 100) == right.value;
  }

  std::string_view text_;
  const std::string& signs_;
  const std::vector<size_t>& bytes_;
  size_t run_begin_ = 0;
  size_t run_end_ = 0;
  std::vector<Equation> found_;
};
}  // namespace

bool Equation::holds() const {
  return std::all_of(sides.begin(), sides.end(), [](const EquationSide& side) { return side.holds; });
}

std::vector<Equation> equations_in(std::string_view text) {
  const EquationSigns signs = equation_signs(text);
  return Finder(text, signs).run();
}

}  // namespace tinyllm
