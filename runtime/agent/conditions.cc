// Conditions on size, time and text in a phrase of a request.
#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/runtime/agent/selection.h>

#include <ctime>

namespace tinyllm::agent {
namespace {

std::tm date_of(int64_t now) {
  const std::time_t seconds = now / 1'000'000'000;
  std::tm date{};
  localtime_r(&seconds, &date);
  return date;
}

std::string first_of(int year, int month) {
  return month > 12 ? fmt::format("{:04}-01-01", year + 1) : fmt::format("{:04}-{:02}-01", year, month);
}

}  // namespace

// Removes all conditions from a phrase and adds them to the filters. Returns false if one is impossible, such as
// month 13.
bool Files::take_conditions(const Request& request, std::string& phrase, Json& filters) const {
  static const std::string size = "([0-9]+(?:\\.[0-9]+)? ?(?:[kmgt]i?b?|bytes?|b)(?![a-z])) ?的?";
  static const std::regex larger = words("(?:超过|大于|larger than|bigger than|over|above) ?" + size);
  static const std::regex smaller = words("(?:小于|不到|smaller than|under) ?" + size);
  static const std::string days = "([0-9]+) ?(天|周|个月|年|days?|weeks?|months?|years?) ?";
  static const std::string past = "(?:之前|以前|前|没动过|没动|old|ago)";
  // A duration alone says neither older nor newer.
  static const std::regex older = words("(?:older than|超过) ?" + days + past + "?的?");
  static const std::regex ago = words(days + past + "的?");
  static const std::regex before_month = words("([0-9]{1,2}) ?月份?(?:以前|之前)(?:下载|修改|创建)?的?");
  static const std::regex in_month = words("([0-9]{1,2}) ?月份?的");
  static const std::regex in_year = words("([0-9]{4}) ?年的|from ([0-9]{4})");
  static const std::regex contains = words(
      "(?:提到|包含|含有|内容有|that mention|mentioning|mention|that contain|containing|contain) ?(\x01[0-9]|[^ "
      ",]+?)(?:的|$)");
  static const std::regex named = words("(?:名字|文件名)(?:里|中)?(?:有|含有|包含) ?(\x01[0-9]|[^ ,]+?)的");
  // The two captures of a condition that was found; the first may be in either.
  std::string value, unit;
  const auto take = [&](const std::regex& regex) {
    std::smatch match;
    if (!std::regex_search(phrase, match, regex)) return false;
    value = match[1].str(), unit = match.size() > 2 ? match[2].str() : "";
    phrase = match.prefix().str() + match.suffix().str();
    return true;
  };
  const int this_year = date_of(now_).tm_year + 1900;
  const auto from_to = [&](int year, int month, int end_year, int end_month) {
    filters["newer_than"] = first_of(year, month);
    filters["older_than"] = first_of(end_year, end_month);
  };
  const auto is_month = [&] { return std::stoi(value) >= 1 && std::stoi(value) <= 12; };
  if (take(contains)) filters["contains"] = request.text_of(value);
  if (take(named)) filters["name_contains"] = request.text_of(value);
  if (take(larger)) filters["larger_than"] = trimmed(value);
  if (take(smaller)) filters["smaller_than"] = trimmed(value);
  if (take(before_month)) {
    if (!is_month()) return false;
    filters["older_than"] = first_of(this_year, std::stoi(value));
  }
  if (take(in_month)) {
    if (!is_month()) return false;
    from_to(this_year, std::stoi(value), this_year, std::stoi(value) + 1);
  }
  if (take(in_year)) {
    const int year = std::stoi(value + unit);
    if (year < 1970 || year > 2199) return false;
    from_to(year, 1, year + 1, 1);
  }
  if (!filters.contains("older_than") && (take(older) || take(ago))) {
    const char* letter = unit.starts_with("天") || unit.starts_with("day")    ? "d"
                         : unit.starts_with("周") || unit.starts_with("week") ? "w"
                         : unit.starts_with("年") || unit.starts_with("year") ? "y"
                                                                              : "m";
    filters["older_than"] = value + letter;
  }
  if (!filters.empty() && !filters.contains("name_contains")) filters["type"] = "file";
  return true;
}

}  // namespace tinyllm::agent
