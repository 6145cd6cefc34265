#include <tinyllm/model/text/jinja/literals.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <charconv>

namespace tinyllm::jinja {
namespace {

// Reads the digits of a character's code: at most `most`, or exactly that many.
char32_t number(std::string_view text, size_t& at, size_t most, int base, bool exact, int line) {
  const std::string_view digits = text.substr(at, most);
  uint32_t code = 0;
  const char* end = std::from_chars(digits.data(), digits.data() + digits.size(), code, base).ptr;
  const auto size = static_cast<size_t>(end - digits.data());
  if (exact && size != most) throw Error("line {}: an escape needs {} digits", line, most);
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    throw Error("line {}: the escape of {:#x} is not a character", line, code);
  }
  at += size;
  return code;
}

}  // namespace

std::string unescape(std::string_view text, int line) {
  static constexpr std::string_view kLetters = "abfnrtv\\'\"\n";
  static constexpr std::string_view kMeanings[] = {"\a", "\b", "\f", "\n", "\r", "\t", "\v", "\\", "'", "\"", ""};
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at++];
      continue;
    }
    const char letter = text[at + 1];
    const size_t simple = kLetters.find(letter);
    at += 2;
    if (simple != std::string_view::npos) {
      out += kMeanings[simple];
    } else if (letter == 'x') {
      append_character(out, number(text, at, 2, 16, true, line));
    } else if (letter == 'u') {
      append_character(out, number(text, at, 4, 16, true, line));
    } else if (letter == 'U') {
      append_character(out, number(text, at, 8, 16, true, line));
    } else if (letter >= '0' && letter <= '7') {
      --at;
      append_character(out, number(text, at, 3, 8, false, line));
    } else if (letter == 'N') {
      throw Error("line {}: characters by name are not supported", line);
    } else {
      out += '\\';
      out += letter;
    }
  }
  return out;
}

}  // namespace tinyllm::jinja
