#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/train/corpus/email.h>
#include <tinyllm/train/corpus/mask.h>
#include <tinyllm/train/corpus/phone.h>

#include <array>

namespace tinyllm::corpus {

using namespace documents;
namespace {

bool is_letter(char c) { return is_ascii_letter(static_cast<unsigned char>(c)); }
bool is_number(char c) { return is_digit(static_cast<unsigned char>(c)); }

// The end of the identity number that begins at `at`, or `at` when none does. It may have a blank before and after the
// date of birth.
size_t identity_end(std::string_view text, size_t at) {
  constexpr std::array<int, 17> kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  std::string digits;
  size_t end = at;
  while (digits.size() < kWeights.size() && end < text.size()) {
    const bool may_part = digits.size() == 6 || digits.size() == 14;
    if (may_part && (text[end] == ' ' || text[end] == '-') && is_number(text[end - 1])) {
      ++end;
    } else if (is_number(text[end])) {
      digits += text[end++];
    } else {
      return at;
    }
  }
  if (digits.size() < kWeights.size() || end == text.size()) return at;
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) sum += (digits[i] - '0') * kWeights[i];
  const char check = text[end] == 'x' ? 'X' : text[end];
  const std::string_view century = std::string_view(digits).substr(6, 2);
  const bool is_right = check == "10X98765432"[sum % 11] && (century == "19" || century == "20" || century == "18");
  ++end;
  const bool goes_on = end < text.size() && (is_letter(text[end]) || is_number(text[end]));
  return is_right && !goes_on ? end : at;
}

std::string mask_emails(std::string_view text, int64_t& count) {
  std::string masked;
  size_t done = 0;
  for (size_t sign = text.find('@'); sign != std::string_view::npos; sign = text.find('@', sign + 1)) {
    const size_t begin = email_begin(text, done, sign);
    const size_t end = email_end(text, sign);
    if (begin == sign || end == sign) continue;
    masked.append(text, done, begin - done).append("<email>");
    done = end;
    ++count;
  }
  return masked.append(text, done);
}

std::string mask_numbers(std::string_view text, const MaskOptions& options, MaskCounts& counts) {
  std::string masked;
  size_t done = 0;
  const auto replace = [&](size_t begin, size_t end, std::string_view by, int64_t& count) {
    masked.append(text, done, begin - done).append(by);
    done = end;
    ++count;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (!is_number(text[at]) && text[at] != '(') continue;
    if (const size_t end = options.id ? identity_end(text, at) : at; end > at) {
      replace(at, end, "<id>", counts.ids);
    } else if (const size_t last = options.phone ? phone_end(text, at, done) : at; last > at) {
      replace(at, last, "<phone>", counts.phones);
    } else {
      // No number begins within another.
      while (is_number(text[at]) && at + 1 < text.size() && is_number(text[at + 1])) ++at;
      continue;
    }
    at = done - 1;
  }
  return masked.append(text, done);
}

}  // namespace

std::string mask(std::string_view text, const MaskOptions& options, MaskCounts& counts) {
  const std::string masked = options.email ? mask_emails(text, counts.emails) : std::string(text);
  return options.phone || options.id ? mask_numbers(masked, options, counts) : masked;
}

}  // namespace tinyllm::corpus
