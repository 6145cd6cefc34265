#include <tinyllm/train/corpus/mask.h>

#include <tinyllm/train/corpus/characters.h>

#include <array>

namespace tinyllm {
namespace {

bool is_address(char c) { return is_ascii_alphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%'; }

// The end of the mail address that begins at `at`, or `at` when none does.
size_t email_end(std::string_view text, size_t at) {
  size_t sign = at;
  while (sign < text.size() && is_address(text[sign])) ++sign;
  if (sign == at || sign == text.size() || text[sign] != '@') return at;
  size_t end = sign + 1;
  size_t dot = 0;
  while (end < text.size() && (is_ascii_alphanumeric(text[end]) || text[end] == '-' || text[end] == '.')) {
    if (text[end] == '.') dot = end;
    ++end;
  }
  if (dot + 1 == end) --end;  // The sentence ends here.
  const size_t last_dot = text.substr(sign, end - sign).rfind('.');
  return last_dot != std::string_view::npos && last_dot > 1 && end - sign - last_dot > 2 ? end : at;
}

bool is_identity(std::string_view text, size_t at) {
  constexpr std::array<int, 17> kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  if (at + 18 > text.size()) return false;
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    if (!is_digit(text[at + i])) return false;
    sum += (text[at + i] - '0') * kWeights[i];
  }
  if (at + 18 < text.size() && is_ascii_alphanumeric(text[at + 18])) return false;
  const char check = text[at + 17] == 'x' ? 'X' : text[at + 17];
  const std::string_view century = text.substr(at + 6, 2);
  return check == "10X98765432"[sum % 11] && (century == "19" || century == "20" || century == "18");
}

// `groups` are the digits with one hyphen for what stood between them.
bool is_phone(std::string_view digits, std::string_view groups) {
  const auto mobile = [](std::string_view d) { return d.size() == 11 && d[0] == '1' && d[1] >= '3'; };
  if (mobile(digits) || (digits.size() == 13 && digits.starts_with("86") && mobile(digits.substr(2)))) return true;
  if (groups.find('-') == std::string_view::npos) return false;
  if (digits.size() == 10 && (digits.starts_with("400") || digits.starts_with("800"))) return true;
  if (digits[0] == '0' && (digits.size() == 11 || digits.size() == 12 || digits.size() == 10)) {
    return groups[3] == '-' || groups[4] == '-';  // An area code of three or four digits.
  }
  return digits.size() == 10 && groups.size() == 12 && groups[3] == '-' && groups[7] == '-';
}

// The end of the longest telephone number that begins at `at`, digits with blanks, hyphens or brackets between them, or
// `at` when none does.
size_t phone_end(std::string_view text, size_t at) {
  constexpr size_t kMostDigits = 13;
  std::string digits;
  std::string groups;
  size_t found = at;
  size_t last = at;  // Behind the last digit.
  for (size_t i = at; i < text.size() && i < last + 3; ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      if (!digits.empty() && last != i) groups += '-';
      digits += c;
      groups += c;
      last = i + 1;
      if (digits.size() > kMostDigits) break;
      const bool ends = last == text.size() || !is_ascii_alphanumeric(text[last]);
      if (ends && is_phone(digits, groups)) found = last;
    } else if (c != ' ' && c != '-' && c != '(' && c != ')') {
      break;
    }
  }
  return found;
}

}  // namespace

std::string mask(std::string_view text, const MaskOptions& options, MaskCounts& counts) {
  std::string masked;
  const auto replace = [&](std::string_view by, int64_t& count) {
    masked += by;
    ++count;
  };
  bool starts = true;  // No letter or digit stands before.
  for (size_t at = 0; at < text.size();) {
    if (starts && options.email && is_ascii_alphanumeric(text[at])) {
      if (const size_t end = email_end(text, at); end > at) {
        replace("<email>", counts.emails);
        at = end;
        continue;
      }
    }
    if (starts && options.id && is_identity(text, at)) {
      replace("<id>", counts.ids);
      at += 18;
      continue;
    }
    if ((starts || text[at - 1] == '+') && options.phone && (is_digit(text[at]) || text[at] == '(')) {
      if (const size_t end = phone_end(text, at); end > at) {
        replace("<phone>", counts.phones);
        at = end;
        continue;
      }
    }
    starts = !is_address(text[at]);
    masked += text[at++];
  }
  return masked;
}

}  // namespace tinyllm
