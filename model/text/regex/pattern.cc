#include <tinyllm/model/text/regex/pattern.h>

#include <tinyllm/model/text/regex/char_set.h>
#include <tinyllm/model/text/regex/pattern_reader.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace tinyllm {
namespace {

using Kind = PatternNode::Kind;
using Greed = PatternNode::Greed;
using Place = PatternNode::Place;

constexpr size_t kMaxPatternBytes = size_t{1} << 16;
constexpr int kMaxDepth = 24;
constexpr uint32_t kMaxRepeat = 1000;

PatternNode node(Kind kind) {
  PatternNode made;
  made.kind = kind;
  return made;
}

PatternNode place(Place where) {
  PatternNode made = node(Kind::place);
  made.place = where;
  return made;
}

PatternNode one_of(icu::UnicodeSet set) {
  PatternNode made = node(Kind::set);
  made.set = std::move(set);
  return made;
}

// Simplifies a choice: a single alternative stands alone, and alternatives that are all sets become one set.
PatternNode simpler(PatternNode choice) {
  std::vector<PatternNode>& children = choice.children;
  if (children.size() == 1) return PatternNode(std::move(children[0]));
  if (std::any_of(children.begin(), children.end(), [](const PatternNode& n) { return n.kind != Kind::set; })) {
    return choice;
  }
  icu::UnicodeSet all;
  for (const PatternNode& child : children) all.addAll(child.set);
  return one_of(std::move(all));
}

class Parser {
 public:
  explicit Parser(std::string_view pattern) : reader_(pattern) {}

  PatternNode whole() {
    PatternNode parsed = choice(0);
    if (!reader_.done()) reader_.fail("a group is closed that was not opened");
    return parsed;
  }

 private:
  // Parses alternatives up to the end or to a closing parenthesis.
  PatternNode choice(int depth) {
    if (depth > kMaxDepth) reader_.fail("nested too deeply");
    const bool outer_case = any_case_;
    const bool outer_dot = dot_is_any_;
    PatternNode alternatives = node(Kind::choice);
    do {
      PatternNode sequence = node(Kind::sequence);
      while (!reader_.done() && !reader_.sees("|") && !reader_.sees(")")) {
        if (std::optional<PatternNode> item = repeated(depth)) sequence.children.push_back(std::move(*item));
      }
      const bool is_one = sequence.children.size() == 1;
      alternatives.children.push_back(std::move(is_one ? sequence.children[0] : sequence));
    } while (reader_.take("|"));
    any_case_ = outer_case;
    dot_is_any_ = outer_dot;
    return simpler(std::move(alternatives));
  }

  // Parses an atom with its repeats. Nothing if it only sets flags.
  std::optional<PatternNode> repeated(int depth) {
    std::optional<PatternNode> item = atom(depth);
    uint32_t least = 0;
    uint32_t most = 0;
    for (int count = 0;; ++count) {
      const bool is_interval = reader_.sees("{");
      if (!take_repeat(least, most)) break;
      if (!item || count == kMaxDepth) reader_.fail("nothing to repeat, or repeated too often");
      PatternNode outer = node(Kind::repeat);
      outer.least = least;
      outer.most = most;
      if (is_interval && least == most && reader_.sees("?")) {
        // In this syntax x{n}? is an optional x{n}, not a lazy one.
      } else if (reader_.take("?")) {
        outer.greed = Greed::lazy;
      } else if (!is_interval && reader_.take("+")) {
        outer.greed = Greed::possessive;
      }
      outer.children.push_back(std::move(*item));
      item = std::move(outer);
    }
    return item;
  }

  bool take_repeat(uint32_t& least, uint32_t& most) {
    least = reader_.sees("+") ? 1 : 0;
    most = reader_.sees("?") ? 1 : PatternNode::kUnbounded;
    if (reader_.take("*") || reader_.take("+") || reader_.take("?")) return true;
    const size_t before = reader_.position();
    if (!reader_.take("{")) return false;
    const std::optional<uint32_t> from = number();
    const bool has_comma = reader_.take(",");
    const std::optional<uint32_t> to = has_comma ? number() : from;
    if (!reader_.take("}") || (!from && !to)) {
      reader_.go_to(before);  // Not a repeat: the brace is an ordinary character.
      return false;
    }
    least = from.value_or(0);
    most = to.value_or(PatternNode::kUnbounded);
    if (least > most) reader_.fail("an interval that ends before it begins");
    return true;
  }

  std::optional<uint32_t> number() {
    std::optional<uint32_t> value;
    while (!reader_.done()) {
      const size_t before = reader_.position();
      const char32_t digit = reader_.take();
      if (digit < '0' || digit > '9') {
        reader_.go_to(before);
        break;
      }
      value = 10 * value.value_or(0) + static_cast<uint32_t>(digit - '0');
      if (*value > kMaxRepeat) reader_.fail("a repeat of more than 1000 times");
    }
    return value;
  }

  std::optional<PatternNode> atom(int depth) {
    if (reader_.take("(")) return group(depth + 1);
    if (reader_.take("[")) return one_of(read_class(reader_, any_case_));
    if (reader_.take("^")) return place(Place::line_begin);
    if (reader_.take("$")) return place(Place::line_end);
    if (reader_.take("\\")) return escape();
    if (reader_.take(".")) {
      return one_of(dot_is_any_ ? icu::UnicodeSet(0, 0x10FFFF) : icu::UnicodeSet('\n', '\n').complement());
    }
    for (const char* repeat : {"*", "+", "?"}) {
      if (reader_.sees(repeat)) reader_.fail("nothing to repeat");
    }
    const auto c = static_cast<UChar32>(reader_.take());
    return one_of(cased({c, c}));
  }

  icu::UnicodeSet cased(icu::UnicodeSet set) const { return any_case_ ? with_cases(std::move(set)) : set; }

  PatternNode escape() {
    constexpr std::pair<const char*, Place> kPlaces[] = {
        {"A", Place::text_begin},  {"z", Place::text_end},       {"Z", Place::last_line_end},
        {"b", Place::word_border}, {"B", Place::no_word_border},
    };
    for (const auto& [letter, where] : kPlaces) {
      if (reader_.take(letter)) return place(where);
    }
    bool is_class = false;
    icu::UnicodeSet set = read_escape(reader_, is_class);
    return one_of(is_class ? std::move(set) : cased(std::move(set)));
  }

  // Parses a group after its opening parenthesis.
  std::optional<PatternNode> group(int depth) {
    if (reader_.take("?#")) {
      reader_.take_until(")");
      return std::nullopt;
    }
    if (reader_.take("?<=")) return wrapped(Kind::look_behind, false, depth);
    if (reader_.take("?<!")) return wrapped(Kind::look_behind, true, depth);
    if (reader_.take("?=")) return wrapped(Kind::look_ahead, false, depth);
    if (reader_.take("?!")) return wrapped(Kind::look_ahead, true, depth);
    if (reader_.take("?>")) return wrapped(Kind::atomic, false, depth);
    if (reader_.take("?<")) {
      reader_.take_until(">");
    } else if (!reader_.take("?:") && reader_.take("?")) {
      return flags(depth);
    }
    return closed(choice(depth));
  }

  PatternNode closed(PatternNode inner) {
    if (!reader_.take(")")) reader_.fail("a group is not closed");
    return inner;
  }

  PatternNode wrapped(Kind kind, bool negated, int depth) {
    PatternNode outer = node(kind);
    outer.negated = negated;
    outer.children.push_back(closed(choice(depth)));
    return outer;
  }

  // (?i), up to the end of the group around it, or (?i:...).
  std::optional<PatternNode> flags(int depth) {
    const bool outer_case = any_case_;
    const bool outer_dot = dot_is_any_;
    bool value = true;
    while (!reader_.sees(")") && !reader_.sees(":")) {
      if (reader_.take("-")) {
        value = false;
      } else if (reader_.take("i")) {
        any_case_ = value;
      } else if (reader_.take("m")) {
        dot_is_any_ = value;
      } else {
        reader_.fail("a group that is not supported");
      }
    }
    // The rest of the group, with its alternatives, belongs to these flags.
    const bool has_end = reader_.take(":");
    if (!has_end) reader_.take(")");
    PatternNode inner = choice(depth);
    any_case_ = outer_case;
    dot_is_any_ = outer_dot;
    return has_end ? closed(std::move(inner)) : inner;
  }

  PatternReader reader_;
  bool any_case_ = false;
  bool dot_is_any_ = false;
};

}  // namespace

PatternNode parse_pattern(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    throw Error("pattern: has {} bytes, expected at most {}", pattern.size(), kMaxPatternBytes);
  }
  check_utf8(pattern, "pattern");
  return Parser(pattern).whole();
}

}  // namespace tinyllm
