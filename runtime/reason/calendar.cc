#include <tinyllm/runtime/reason/calendar.h>
#include <tinyllm/runtime/reason/number_words.h>
#include <tinyllm/runtime/reason/plain_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>

namespace tinyllm {
namespace {

/// Takes parts from the front of a text.
class Cursor {
 public:
  explicit Cursor(std::u32string_view text) : rest_(text) {}

  bool take(std::u32string_view part) {
    if (!rest_.starts_with(part)) return false;
    rest_.remove_prefix(part.size());
    return true;
  }
  bool take_any(std::initializer_list<std::u32string_view> parts) {
    return std::any_of(parts.begin(), parts.end(), [&](std::u32string_view part) { return take(part); });
  }
  void blanks() {
    while (take(U" ")) {
    }
  }
  // A number of digits, at least `least` and at most `most` of them, or in words.
  std::optional<int> number(size_t least = 1, size_t most = 2) {
    size_t count = 0;
    int value = 0;
    for (; count < rest_.size() && count < 5 && is_digit(rest_[count]); ++count)
      value = value * 10 + static_cast<int>(rest_[count] - '0');
    if (count > 0) {
      if (count < least || count > most) return {};
      rest_.remove_prefix(count);
      return value;
    }
    const std::optional<NumberWords> words = number_words(rest_, 0);
    if (!words || words->value > 9999) return {};
    rest_.remove_prefix(words->end);
    return static_cast<int>(words->value);
  }
  bool ended() const { return rest_.empty(); }
  std::u32string_view rest() const { return rest_; }

 private:
  std::u32string_view rest_;
};

std::u32string lower(std::u32string_view text) {
  std::u32string result(text);
  for (char32_t& c : result)
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  return result;
}

NormalAnswer of(AnswerKind kind, std::string text) {
  NormalAnswer answer;
  answer.kind = kind;
  answer.text = std::move(text);
  return answer;
}

bool is_day(int year, int month, int day) {
  constexpr std::array<int, 12> kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || day > kDays[static_cast<size_t>(month - 1)]) return false;
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month != 2 || day < 29 || is_leap;
}

std::optional<NormalAnswer> date_of(std::optional<int> year, int month, int day) {
  if (!is_day(year.value_or(2000), month, day)) return {};
  if (!year) return of(AnswerKind::date, fmt::format("--{:02}-{:02}", month, day));
  return of(AnswerKind::date, fmt::format("{:04}-{:02}-{:02}", *year, month, day));
}

// 2024-03-05 with one sign throughout.
std::optional<NormalAnswer> date_in_digits(std::u32string_view text) {
  for (const std::u32string_view sign : {U"-", U"/", U"."}) {
    Cursor cursor(text);
    const std::optional<int> year = cursor.number(4, 4);
    if (!year || !cursor.take(sign)) continue;
    const std::optional<int> month = cursor.number();
    if (!month || !cursor.take(sign)) continue;
    const std::optional<int> day = cursor.number();
    if (day && cursor.ended()) return date_of(year, *month, *day);
  }
  return {};
}

std::optional<NormalAnswer> date_in_chinese(std::u32string_view text) {
  Cursor cursor(text);
  std::optional<int> first = cursor.number(1, 4);
  std::optional<int> year;
  cursor.blanks();
  if (first && cursor.take(U"年")) {
    year = first;
    cursor.blanks();
    first = cursor.number();
    cursor.blanks();
  }
  if (!first || !cursor.take(U"月")) return {};
  cursor.blanks();
  if (year && cursor.ended() && *first >= 1 && *first <= 12)
    return of(AnswerKind::date, fmt::format("{:04}-{:02}", *year, *first));
  const std::optional<int> day = cursor.number();
  cursor.blanks();
  if (!day || !cursor.take_any({U"日", U"号"}) || !cursor.ended()) return {};
  return date_of(year, *first, *day);
}

std::optional<int> take_month(Cursor& cursor) {
  constexpr std::array<std::u32string_view, 12> kMonths = {U"january",   U"february", U"march",    U"april",
                                                           U"may",       U"june",     U"july",     U"august",
                                                           U"september", U"october",  U"november", U"december"};
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (!cursor.take(kMonths[i]) && !cursor.take(kMonths[i].substr(0, 3))) continue;
    cursor.take(U".");
    cursor.blanks();
    return static_cast<int>(i + 1);
  }
  return {};
}

std::optional<NormalAnswer> date_in_english(std::u32string_view text) {
  Cursor cursor(text);
  std::optional<int> month = take_month(cursor);
  const std::optional<int> day = cursor.number();
  if (!day) return {};
  cursor.take_any({U"st", U"nd", U"rd", U"th"});
  cursor.blanks();
  if (!month) {
    if (cursor.take(U"of")) cursor.blanks();
    month = take_month(cursor);
  }
  if (!month) return {};
  cursor.take(U",");
  cursor.blanks();
  if (cursor.ended()) return date_of({}, *month, *day);
  const std::optional<int> year = cursor.number(4, 4);
  if (!year || !cursor.ended()) return {};
  return date_of(year, *month, *day);
}

std::optional<NormalAnswer> weekday(std::u32string_view text) {
  constexpr std::array<std::u32string_view, 7> kNames = {U"monday", U"tuesday",  U"wednesday", U"thursday",
                                                         U"friday", U"saturday", U"sunday"};
  constexpr std::u32string_view kDigits = U"一二三四五六日";
  const auto day = [](size_t i) { return of(AnswerKind::date, fmt::format("weekday {}", i + 1)); };
  for (size_t i = 0; i < kNames.size(); ++i)
    if (text == kNames[i] || (text == kNames[i].substr(0, 3))) return day(i);
  for (const std::u32string_view week : {U"星期", U"周", U"礼拜"}) {
    if (!text.starts_with(week) || text.size() != week.size() + 1) continue;
    const char32_t last = text.back() == U'天' || text.back() == U'7' ? U'日' : text.back();
    if (last >= '1' && last <= '6') return day(last - '1');
    const size_t found = kDigits.find(last);
    if (found != std::u32string_view::npos) return day(found);
  }
  return {};
}

// What a word for a part of the day makes of an hour: 下午3点 is 15:00.
enum class Part : uint8_t { none, morning, noon, afternoon };

Part take_part(Cursor& cursor) {
  if (cursor.take_any({U"凌晨", U"早上", U"上午", U"清晨", U"早晨", U"am", U"a.m.", U"a.m"})) return Part::morning;
  if (cursor.take(U"中午")) return Part::noon;
  if (cursor.take_any({U"下午", U"晚上", U"傍晚", U"夜里", U"pm", U"p.m.", U"p.m"})) return Part::afternoon;
  return Part::none;
}

std::optional<NormalAnswer> time_of_day(std::u32string_view text) {
  Cursor cursor(text);
  Part part = take_part(cursor);
  cursor.blanks();
  const std::optional<int> said = cursor.number();
  if (!said) return {};
  int hour = *said;
  int minute = 0;
  std::optional<int> second;
  bool may_be_duration = false;
  cursor.blanks();
  if (cursor.take(U":")) {
    const std::optional<int> minutes = cursor.number(2, 2);
    if (!minutes) return {};
    minute = *minutes;
    if (cursor.take(U":") && !(second = cursor.number(2, 2))) return {};
  } else if (const bool is_hour = cursor.take(U"时"); is_hour || cursor.take_any({U"点钟", U"点整", U"点"})) {
    cursor.blanks();
    if (cursor.take(U"半")) {
      minute = 30;
    } else if (cursor.take_any({U"一刻", U"1刻"})) {
      minute = 15;
    } else if (cursor.take_any({U"三刻", U"3刻"})) {
      minute = 45;
    } else if (const Cursor before = cursor; const std::optional<int> minutes = cursor.number()) {
      minute = *minutes;
      const std::u32string_view said_minute = before.rest().substr(0, before.rest().size() - cursor.rest().size());
      const bool is_tens =
          is_digit(said_minute[0]) ? said_minute.size() == 2 : said_minute.find(U'十') != said_minute.npos;
      cursor.blanks();
      // 三点一四 is a number, 八点三十 a time.
      if (!cursor.take_any({U"分钟", U"分"}) && !is_hour && !is_tens) return {};
      may_be_duration = is_hour && part == Part::none;
      if (!cursor.ended() && (second = cursor.number()) && !cursor.take(U"秒")) return {};
    } else if (is_hour && part == Part::none) {
      return {};  // 3时 are three hours.
    }
    cursor.take(U"整");
  } else if (part == Part::none) {  // 3 PM
    part = take_part(cursor);
    if (part == Part::none || !cursor.ended()) return {};
  } else {
    return {};
  }
  cursor.blanks();
  if (part == Part::none) part = take_part(cursor);
  if (!cursor.ended() || minute > 59 || second.value_or(0) > 59) return {};
  if (part == Part::afternoon && hour < 12) hour += 12;
  if (part == Part::noon && hour < 3) hour += 12;
  if (part == Part::morning && hour == 12) hour = 0;
  if (hour > 24 || (hour == 24 && minute > 0)) return {};
  NormalAnswer answer = of(AnswerKind::time, fmt::format("{:02}:{:02}", hour, minute));
  if (second.value_or(0) > 0) answer.text += fmt::format(":{:02}", *second);
  if (may_be_duration) answer.values = {hour * 3600 + minute * 60 + second.value_or(0)};
  return answer;
}
}  // namespace

std::optional<NormalAnswer> calendar_answer(std::u32string_view text) {
  if (text.size() > 32) return {};
  const std::u32string low = lower(text);
  for (const auto& read : {date_in_digits, date_in_chinese, date_in_english, weekday, time_of_day})
    if (std::optional<NormalAnswer> answer = read(low)) return answer;
  return {};
}

}  // namespace tinyllm
