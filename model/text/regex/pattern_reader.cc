#include <tinyllm/model/text/regex/pattern_reader.h>

#include <tinyllm/model/text/regex/char_set.h>

#include <string>

namespace tinyllm {
namespace {

constexpr int kMaxClassDepth = 8;

icu::UnicodeSet one(char32_t c) { return {static_cast<UChar32>(c), static_cast<UChar32>(c)}; }

icu::UnicodeSet read_property(PatternReader& reader, bool negated) {
  if (!reader.take("{")) reader.fail("\\p without {");
  if (reader.take("^")) negated = !negated;
  icu::UnicodeSet set = characters_with(reader.take_until("}"));
  return negated ? set.complement() : set;
}

char32_t read_hex(PatternReader& reader, std::string_view digits) {
  uint32_t value = 0;
  if (digits.empty() || digits.size() > 6) reader.fail("a character of one to six hexadecimal digits expected");
  for (const char digit : digits) {
    const size_t found = std::string_view("0123456789abcdef0123456789ABCDEF").find(digit);
    if (found == std::string_view::npos) reader.fail("a hexadecimal digit expected");
    value = 16 * value + static_cast<uint32_t>(found % 16);
  }
  if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) reader.fail("is not a character");
  return value;
}

std::string take_ascii(PatternReader& reader, size_t most) {
  std::string digits;
  while (digits.size() < most && !reader.done()) {
    const size_t before = reader.position();
    const char32_t c = reader.take();
    if (c >= 128 || std::string_view("0123456789abcdefABCDEF").find(static_cast<char>(c)) == std::string_view::npos) {
      reader.go_to(before);
      break;
    }
    digits += static_cast<char>(c);
  }
  return digits;
}

// [:alpha:], after the first bracket.
icu::UnicodeSet read_posix(PatternReader& reader) {
  reader.take(":");
  const bool negated = reader.take("^");
  const std::string_view name = reader.take_until(":]");
  icu::UnicodeSet set = name == "word"    ? word_characters()
                        : name == "ascii" ? icu::UnicodeSet(0, 127)
                        : name == "punct"
                            ? characters_with("P").addAll(characters_with("S").retainAll(icu::UnicodeSet(0, 127)))
                            : characters_with(name);
  return negated ? set.complement() : set;
}

// Reads one member of a class: a set, a character, or a range that begins with this character.
icu::UnicodeSet read_member(PatternReader& reader, bool any_case, bool& is_class, int depth) {
  is_class = true;
  if (reader.take("[")) {
    if (reader.sees(":")) return read_posix(reader);
    return read_class(reader, any_case, depth + 1);
  }
  if (reader.take("\\")) return read_escape(reader, is_class);
  is_class = false;
  return one(reader.take());
}

}  // namespace

icu::UnicodeSet with_cases(icu::UnicodeSet set) { return set.closeOver(USET_CASE_INSENSITIVE).removeAllStrings(); }

icu::UnicodeSet read_escape(PatternReader& reader, bool& is_class) {
  const char32_t c = reader.take();
  is_class = true;
  switch (c) {
    case 's':
      return blanks();
    case 'S':
      return blanks().complement();
    case 'd':
      return characters_with("Nd");
    case 'D':
      return characters_with("Nd").complement();
    case 'w':
      return word_characters();
    case 'W':
      return word_characters().complement();
    case 'h':
    case 'H': {
      icu::UnicodeSet digits;
      digits.add('0', '9').add('a', 'f').add('A', 'F');
      return c == 'h' ? digits : digits.complement();
    }
    case 'p':
    case 'P':
      return read_property(reader, c == 'P');
    case 'N':
      return one('\n').complement();
    case 'O':
      return {0, 0x10FFFF};
    default:
      break;
  }
  is_class = false;
  constexpr std::string_view kLetters = "tnrfvae";
  constexpr std::string_view kControls = "\t\n\r\f\v\a\x1B";
  if (c == 'x') return one(read_hex(reader, reader.take("{") ? reader.take_until("}") : take_ascii(reader, 2)));
  if (c == 'u') return one(read_hex(reader, take_ascii(reader, 4)));
  if (c < 128 && kLetters.find(static_cast<char>(c)) != std::string_view::npos) {
    return one(static_cast<unsigned char>(kControls[kLetters.find(static_cast<char>(c))]));
  }
  const bool is_plain = c >= 128 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  if (!is_plain) reader.fail("an escape that is not supported");
  return one(c);
}

icu::UnicodeSet read_class(PatternReader& reader, bool any_case, int depth) {
  if (depth > kMaxClassDepth) reader.fail("classes nested too deeply");
  const bool negated = reader.take("^");
  icu::UnicodeSet all(0, 0x10FFFF);
  icu::UnicodeSet set;
  for (bool first = true; first || !reader.take("]"); first = false) {
    if (reader.take("&&")) {
      all.retainAll(any_case ? with_cases(set) : set);
      set.clear();
      continue;
    }
    bool is_class = false;
    const icu::UnicodeSet member = read_member(reader, any_case, is_class, depth);
    if (!reader.sees("-") || reader.sees("-]")) {
      set.addAll(member);
      continue;
    }
    if (is_class) reader.fail("a class at the beginning of a range");
    reader.take("-");
    const icu::UnicodeSet last = read_member(reader, any_case, is_class, depth);
    if (is_class) reader.fail("a class at the end of a range");
    if (member.charAt(0) > last.charAt(0)) reader.fail("a range that ends before it begins");
    set.add(member.charAt(0), last.charAt(0));
  }
  all.retainAll(any_case ? with_cases(set) : set);
  return negated ? all.complement() : all;
}

}  // namespace tinyllm
