#include <tinyllm/runtime/agent/filters.h>

#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/runtime/agent/names.h>

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

namespace tinyllm::agent {
namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;

// The number at the beginning of a text, which becomes what follows it without blanks.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  while (text.starts_with(' ')) text.remove_prefix(1);
  return number;
}

// A number of exactly this many digits.
bool take_digits(std::string_view& text, size_t digits, int& into) {
  if (text.size() < digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, into);
  if (error != std::errc() || end != text.data() + digits || into < 0) return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int64_t> parse_date(std::string_view text) {
  std::tm time{};
  int year = 0, month = 0;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) || !take(text, '-') ||
      !take_digits(text, 2, time.tm_mday)) {
    return std::nullopt;
  }
  if (take(text, ' ') || take(text, 'T')) {
    if (!take_digits(text, 2, time.tm_hour) || !take(text, ':') || !take_digits(text, 2, time.tm_min)) {
      return std::nullopt;
    }
    if (take(text, ':') && !take_digits(text, 2, time.tm_sec)) return std::nullopt;
  }
  if (!text.empty() || year < 1970 || year > 2200 || month < 1 || month > 12 || time.tm_mday < 1 || time.tm_mday > 31 ||
      time.tm_hour > 23 || time.tm_min > 59 || time.tm_sec > 59) {
    return std::nullopt;
  }
  time.tm_year = year - 1900;
  time.tm_mon = month - 1;
  time.tm_isdst = -1;
  const int day = time.tm_mday;
  const std::time_t seconds = std::mktime(&time);
  if (time.tm_mday != day) return std::nullopt;  // The 31st of a shorter month.
  return static_cast<int64_t>(seconds) * kNanoseconds;
}

}  // namespace

bool Filters::files_only() const {
  return !extensions.empty() || !contains.empty() || larger_than || smaller_than || older_than || newer_than ||
         type == "file";
}

int64_t parse_size(std::string_view text) {
  constexpr std::array<std::pair<const char*, double>, 15> kUnits = {{{"", 1},
                                                                      {"b", 1},
                                                                      {"k", 1e3},
                                                                      {"kb", 1e3},
                                                                      {"kib", 1024.},
                                                                      {"m", 1e6},
                                                                      {"mb", 1e6},
                                                                      {"mib", 1024. * 1024},
                                                                      {"g", 1e9},
                                                                      {"gb", 1e9},
                                                                      {"gib", 1024. * 1024 * 1024},
                                                                      {"t", 1e12},
                                                                      {"tb", 1e12},
                                                                      {"tib", 1024. * 1024 * 1024 * 1024},
                                                                      {"bytes", 1}}};
  std::string_view rest = text;
  if (const auto number = take_number(rest)) {
    const std::string unit = folded(rest);
    for (const auto& [name, factor] : kUnits) {
      const double bytes = *number * factor;
      if (unit == name && bytes < 9e18) return static_cast<int64_t>(bytes);
    }
  }
  throw AgentError(Code::bad_plan, "{}: is not a size, expected for example 50MB", escaped(text));
}

int64_t parse_time(std::string_view text, int64_t now) {
  if (const auto date = parse_date(text)) return *date;
  constexpr std::array<std::pair<const char*, int>, 5> kUnits = {
      {{"h", 3600}, {"d", 86400}, {"w", 7 * 86400}, {"m", 30 * 86400}, {"y", 365 * 86400}}};
  std::string_view rest = text;
  if (const auto number = take_number(rest)) {
    for (const auto& [name, seconds] : kUnits) {
      if (rest == name && *number * seconds < 9e9) return now - static_cast<int64_t>(*number * seconds) * kNanoseconds;
    }
  }
  throw AgentError(Code::bad_plan, "{}: is not a time, expected for example 30d or 2026-11-29", escaped(text));
}

}  // namespace tinyllm::agent
