#include <tinyllm/runtime/reason/plain_text.h>
#include <tinyllm/runtime/reason/units.h>

#include <algorithm>
#include <array>
#include <string>

namespace tinyllm {
namespace {
struct Row {
  std::u32string_view name;
  std::string_view dimension;
  int64_t numerator = 1;
  int64_t denominator = 1;
};

// Names, what they measure, and how many of the first unit of that dimension they are. A name in several rows has
// several meanings, as 分.
constexpr auto kRows = std::to_array<Row>({
    {U"米", "length"},
    {U"m", "length"},
    {U"meter", "length"},
    {U"metre", "length"},
    {U"公尺", "length"},
    {U"千米", "length", 1000},
    {U"公里", "length", 1000},
    {U"km", "length", 1000},
    {U"kilometer", "length", 1000},
    {U"kilometre", "length", 1000},
    {U"分米", "length", 1, 10},
    {U"dm", "length", 1, 10},
    {U"decimeter", "length", 1, 10},
    {U"厘米", "length", 1, 100},
    {U"公分", "length", 1, 100},
    {U"cm", "length", 1, 100},
    {U"centimeter", "length", 1, 100},
    {U"centimetre", "length", 1, 100},
    {U"毫米", "length", 1, 1000},
    {U"mm", "length", 1, 1000},
    {U"millimeter", "length", 1, 1000},
    {U"millimetre", "length", 1, 1000},
    {U"微米", "length", 1, 1000000},
    {U"里", "length", 500},
    {U"inch", "length", 254, 10000},
    {U"inches", "length", 254, 10000},
    {U"英寸", "length", 254, 10000},
    {U"foot", "length", 3048, 10000},
    {U"feet", "length", 3048, 10000},
    {U"ft", "length", 3048, 10000},
    {U"英尺", "length", 3048, 10000},
    {U"yard", "length", 9144, 10000},
    {U"mile", "length", 1609344, 1000},
    {U"英里", "length", 1609344, 1000},
    {U"克", "mass"},
    {U"g", "mass"},
    {U"gram", "mass"},
    {U"千克", "mass", 1000},
    {U"公斤", "mass", 1000},
    {U"kg", "mass", 1000},
    {U"kilogram", "mass", 1000},
    {U"毫克", "mass", 1, 1000},
    {U"mg", "mass", 1, 1000},
    {U"milligram", "mass", 1, 1000},
    {U"吨", "mass", 1000000},
    {U"t", "mass", 1000000},
    {U"ton", "mass", 1000000},
    {U"tonne", "mass", 1000000},
    {U"斤", "mass", 500},
    {U"市斤", "mass", 500},
    {U"两", "mass", 50},
    {U"pound", "mass", 45359237, 100000},
    {U"lb", "mass", 45359237, 100000},
    {U"磅", "mass", 45359237, 100000},
    {U"ounce", "mass", 45359237, 1600000},
    {U"oz", "mass", 45359237, 1600000},
    {U"秒", "time"},
    {U"秒钟", "time"},
    {U"s", "time"},
    {U"sec", "time"},
    {U"second", "time"},
    {U"毫秒", "time", 1, 1000},
    {U"ms", "time", 1, 1000},
    {U"millisecond", "time", 1, 1000},
    {U"分", "time", 60},
    {U"分钟", "time", 60},
    {U"min", "time", 60},
    {U"minute", "time", 60},
    {U"刻钟", "time", 900},
    {U"时", "time", 3600},
    {U"小时", "time", 3600},
    {U"个小时", "time", 3600},
    {U"个钟头", "time", 3600},
    {U"h", "time", 3600},
    {U"hr", "time", 3600},
    {U"hour", "time", 3600},
    {U"天", "time", 86400},
    {U"日", "time", 86400},
    {U"d", "time", 86400},
    {U"day", "time", 86400},
    {U"周", "time", 604800},
    {U"星期", "time", 604800},
    {U"个星期", "time", 604800},
    {U"week", "time", 604800},
    {U"月", "months"},
    {U"个月", "months"},
    {U"month", "months"},
    {U"季度", "months", 3},
    {U"个季度", "months", 3},
    {U"年", "months", 12},
    {U"year", "months", 12},
    {U"世纪", "months", 1200},
    {U"个世纪", "months", 1200},
    {U"岁", "age"},
    {U"周岁", "age"},
    {U"元", "yuan"},
    {U"圆", "yuan"},
    {U"块", "yuan"},
    {U"块钱", "yuan"},
    {U"元钱", "yuan"},
    {U"元人民币", "yuan"},
    {U"人民币", "yuan"},
    {U"yuan", "yuan"},
    {U"RMB", "yuan"},
    {U"CNY", "yuan"},
    {U"角", "yuan", 1, 10},
    {U"毛", "yuan", 1, 10},
    {U"毛钱", "yuan", 1, 10},
    {U"分", "yuan", 1, 100},
    {U"分钱", "yuan", 1, 100},
    {U"美元", "dollar"},
    {U"美金", "dollar"},
    {U"dollar", "dollar"},
    {U"USD", "dollar"},
    {U"cent", "dollar", 1, 100},
    {U"美分", "dollar", 1, 100},
    {U"欧元", "euro"},
    {U"euro", "euro"},
    {U"EUR", "euro"},
    {U"英镑", "sterling"},
    {U"GBP", "sterling"},
    {U"日元", "yen"},
    {U"港元", "hkd"},
    {U"公顷", "length^2", 10000},
    {U"hectare", "length^2", 10000},
    {U"ha", "length^2", 10000},
    {U"公亩", "length^2", 100},
    {U"亩", "length^2", 2000, 3},
    {U"acre", "length^2", 40468564224, 10000000},
    {U"升", "length^3", 1, 1000},
    {U"公升", "length^3", 1, 1000},
    {U"L", "length^3", 1, 1000},
    {U"l", "length^3", 1, 1000},
    {U"liter", "length^3", 1, 1000},
    {U"litre", "length^3", 1, 1000},
    {U"分升", "length^3", 1, 10000},
    {U"dL", "length^3", 1, 10000},
    {U"毫升", "length^3", 1, 1000000},
    {U"mL", "length^3", 1, 1000000},
    {U"ml", "length^3", 1, 1000000},
    {U"milliliter", "length^3", 1, 1000000},
    {U"millilitre", "length^3", 1, 1000000},
    {U"cc", "length^3", 1, 1000000},
    {U"°", "angle"},
    {U"度", "angle"},
    {U"度", "celsius"},
    {U"度", "energy", 3600000},
    {U"degree", "angle"},
    {U"degree", "celsius"},
    {U"deg", "angle"},
    {U"°C", "celsius"},
    {U"℃", "celsius"},
    {U"摄氏度", "celsius"},
    {U"degrees Celsius", "celsius"},
    {U"°F", "fahrenheit"},
    {U"℉", "fahrenheit"},
    {U"华氏度", "fahrenheit"},
    {U"degrees Fahrenheit", "fahrenheit"},
    {U"瓦", "power"},
    {U"W", "power"},
    {U"watt", "power"},
    {U"千瓦", "power", 1000},
    {U"kW", "power", 1000},
    {U"焦", "energy"},
    {U"焦耳", "energy"},
    {U"J", "energy"},
    {U"千焦", "energy", 1000},
    {U"kJ", "energy", 1000},
    {U"千瓦时", "energy", 3600000},
    {U"kWh", "energy", 3600000},
    {U"卡", "calorie"},
    {U"千卡", "calorie", 1000},
    {U"大卡", "calorie", 1000},
    {U"kcal", "calorie", 1000},
    {U"牛", "force"},
    {U"牛顿", "force"},
    {U"N", "force"},
    {U"帕", "pressure"},
    {U"Pa", "pressure"},
    {U"千帕", "pressure", 1000},
    {U"kPa", "pressure", 1000},
    {U"伏", "voltage"},
    {U"V", "voltage"},
    {U"安", "current"},
    {U"安培", "current"},
    {U"欧姆", "resistance"},
    {U"Ω", "resistance"},
    {U"赫兹", "frequency"},
    {U"Hz", "frequency"},
});

constexpr std::array<std::pair<char32_t, std::string_view>, 5> kCurrencies = {
    {{U'$', "dollar"}, {U'¥', "yuan"}, {U'€', "euro"}, {U'£', "sterling"}, {U'￡', "sterling"}}};

bool starts_with(std::u32string_view text, size_t at, std::u32string_view name) {
  return at <= text.size() && text.substr(at).starts_with(name);
}

// A name of letters ends where the word does; in the plural too.
std::optional<size_t> name_end(std::u32string_view text, size_t at, std::u32string_view name) {
  if (!starts_with(text, at, name)) return {};
  size_t end = at + name.size();
  if (!is_letter(name.back())) return end;
  if (name.size() > 2 && end < text.size() && text[end] == 's') ++end;
  if (end < text.size() && is_letter(text[end])) return {};
  return end;
}

// The longest name at a place, in all its meanings.
std::optional<FoundUnit> simple_unit(std::u32string_view text, size_t at) {
  if (at >= text.size()) return {};
  std::u32string rest(text.substr(at, 24));
  // Words may be capitalised, as Meters. Symbols may not: M is not m.
  const auto letters = std::find_if_not(rest.begin(), rest.end(), is_letter) - rest.begin();
  if (letters > 3 && rest[0] <= 'Z') rest[0] += 'a' - 'A';
  FoundUnit found;
  for (const Row& row : kRows) {
    if (row.name[0] != rest[0]) continue;
    const std::optional<size_t> length = name_end(rest, 0, row.name);
    if (!length || at + *length < found.end) continue;
    if (at + *length > found.end) found.unit = {};
    found.end = at + *length;
    AnswerUnit::Meaning meaning;
    meaning.dimension = row.dimension;
    meaning.factor = Arithmetic().quotient(row.numerator, row.denominator);
    found.unit.meanings.push_back(std::move(meaning));
  }
  if (found.end == 0) return {};
  return found;
}

AnswerUnit raised(const AnswerUnit& unit, int power) {
  AnswerUnit result;
  for (const AnswerUnit::Meaning& meaning : unit.meanings) {
    if (meaning.dimension.find('^') != std::string::npos) continue;
    result.meanings.push_back(
        {meaning.dimension + '^' + std::to_string(power), Arithmetic().power(meaning.factor, power)});
  }
  return result;
}

// A unit and its power: 平方米, m^2, m2, square meters.
std::optional<FoundUnit> unit_with_power(std::u32string_view text, size_t at) {
  struct Prefix {
    std::u32string_view name;
    int power;
  };
  constexpr std::array<Prefix, 6> kPrefixes = {
      {{U"平方", 2}, {U"立方", 3}, {U"square ", 2}, {U"cubic ", 3}, {U"sq ", 2}, {U"sq. ", 2}}};
  for (const Prefix& prefix : kPrefixes) {
    if (!starts_with(text, at, prefix.name)) continue;
    std::optional<FoundUnit> found = simple_unit(text, at + prefix.name.size());
    if (!found) return {};
    found->unit = raised(found->unit, prefix.power);
    return found;
  }
  std::optional<FoundUnit> found = simple_unit(text, at);
  if (!found) return {};
  size_t end = found->end;
  end += end < text.size() && text[end] == '^';
  const bool is_power = end < text.size() && (text[end] == '2' || text[end] == '3') &&
                        (end + 1 == text.size() || !is_digit(text[end + 1])) &&
                        (is_letter(text[end - 1]) || text[end - 1] == '^');
  if (is_power) {
    found->unit = raised(found->unit, static_cast<int>(text[end] - '0'));
    found->end = end + 1;
  }
  return found;
}
}  // namespace

std::optional<FoundUnit> unit_at(std::u32string_view text, size_t at) {
  std::optional<FoundUnit> found = unit_with_power(text, at);
  if (!found || found->unit.meanings.empty()) return {};
  size_t end = found->end;
  for (const std::u32string_view per : {U"/每", U"/", U"每", U" per ", U" / "}) {
    if (!starts_with(text, end, per)) continue;
    const std::optional<FoundUnit> below = unit_with_power(text, end + per.size());
    if (!below) break;  // As in 5元/个.
    AnswerUnit quotient;
    for (const AnswerUnit::Meaning& above : found->unit.meanings) {
      for (const AnswerUnit::Meaning& divisor : below->unit.meanings) {
        quotient.meanings.push_back(
            {above.dimension + '/' + divisor.dimension, Arithmetic().quotient(above.factor, divisor.factor)});
      }
    }
    return FoundUnit{below->end, std::move(quotient)};
  }
  return found;
}

std::optional<FoundUnit> currency_at(std::u32string_view text, size_t at) {
  for (const auto& [sign, dimension] : kCurrencies)
    if (at < text.size() && text[at] == sign) return FoundUnit{at + 1, {{{std::string(dimension), 1}}}};
  return {};
}

std::optional<Rational> conversion(const AnswerUnit& from, const AnswerUnit& to) {
  for (const AnswerUnit::Meaning& a : from.meanings) {
    for (const AnswerUnit::Meaning& b : to.meanings)
      if (a.dimension == b.dimension) return Arithmetic().quotient(a.factor, b.factor);
  }
  return {};
}

}  // namespace tinyllm
