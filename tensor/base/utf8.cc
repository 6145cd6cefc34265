#include <tinyllm/tensor/base/utf8.h>

#include <tinyllm/tensor/base/error.h>

namespace tinyllm {
namespace {

// The length of the UTF-8 character at the front of `text` (RFC 3629), or 0 when there is none; then `broken` is that
// of the longest beginning of a character, at least 1.
size_t utf8_length(std::string_view text, size_t& broken) {
  const auto at = [&](size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const auto continues = [&](size_t i) { return i < text.size() && continues_character(text[i]); };
  const unsigned first = at(0), second = at(1);
  broken = 1;
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(1)) return 0;
  if (first <= 0xDF) return 2;
  // Overlong, a surrogate, or too large.
  const bool is_wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  if (is_wrong) return 0;
  const size_t length = first <= 0xEF ? 3 : 4;
  for (broken = 2; broken < length; ++broken) {
    if (!continues(broken)) return 0;
  }
  return length;
}

}  // namespace

size_t valid_utf8(std::string_view text) {
  size_t valid = 0;
  while (valid < text.size()) {
    size_t broken = 0;
    const size_t length = utf8_length(text.substr(valid, 4), broken);
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
    size_t broken = 0;
    const size_t length = utf8_length(text.substr(0, 4), broken);
    result += length == 0 ? "\uFFFD" : text.substr(0, length);
    text.remove_prefix(length == 0 ? broken : length);
  }
  return result;
}

}  // namespace tinyllm
