#include <tinyllm/tensor/base/utf8.h>

#include <tinyllm/tensor/base/error.h>

namespace tinyllm {
namespace {

// The length of the UTF-8 character at the front of `text`, or 0 when there is none (RFC 3629).
size_t utf8_length(std::string_view text) {
  const auto at = [&](size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const auto continues = [&](size_t i) { return i < text.size() && continues_character(text[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned second = at(1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;  // Overlong; a surrogate.
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned second = at(1);
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;  // Overlong; too large.
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

size_t valid_utf8(std::string_view text) {
  size_t valid = 0;
  while (valid < text.size()) {
    const size_t length = utf8_length(text.substr(valid, 4));
    if (length == 0) break;
    valid += length;
  }
  return valid;
}

void check_utf8(std::string_view text, std::string_view what, size_t line, size_t byte) {
  const size_t bad = valid_utf8(text);
  if (bad == text.size()) return;
  const std::string_view before = text.substr(0, bad);
  const auto line_ends = static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  throw Error("{}: line {}, byte {}: 0x{:02X} is not UTF-8", what, line + line_ends,
              line_ends == 0 ? byte + bad : bad - before.rfind('\n'), static_cast<unsigned char>(text[bad]));
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    result += length == 0 ? "\uFFFD" : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

}  // namespace tinyllm
