#include <tinyllm/runtime/documents/docx_numbering.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/xml.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace tinyllm::documents {
namespace {

int number_of(std::string_view text) {
  constexpr int kLargest = 1000000;
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::clamp(value, 0, kLargest);
}

std::string roman(int number) {
  constexpr std::pair<int, std::string_view> kDigits[] = {{1000, "m"}, {900, "cm"}, {500, "d"}, {400, "cd"}, {100, "c"},
                                                          {90, "xc"},  {50, "l"},   {40, "xl"}, {10, "x"},   {9, "ix"},
                                                          {5, "v"},    {4, "iv"},   {1, "i"}};
  std::string text;
  for (const auto& [value, digits] : kDigits) {
    for (; number >= value; number -= value) text += digits;
  }
  return text;
}

// a to z, then aa to zz.
std::string letters(int number) {
  return std::string(static_cast<size_t>((number - 1) / 26 + 1), static_cast<char>('a' + (number - 1) % 26));
}

std::string chinese(int number) {
  constexpr std::string_view kDigits[] = {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
  constexpr std::string_view kUnits[] = {"", "十", "百", "千"};
  std::string text;
  bool has_gap = false;
  for (int unit = 3, value = 1000; unit >= 0; --unit, value /= 10) {
    const int digit = number / value % 10;
    has_gap |= digit == 0 && !text.empty();
    if (digit == 0) continue;
    if (std::exchange(has_gap, false)) text += kDigits[0];
    const bool is_ten = unit == 1 && digit == 1 && text.empty();  // 十二, and not 一十二.
    if (!is_ten) text += kDigits[digit];
    text += kUnits[unit];
  }
  return text;
}

std::string upper_case(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return text;
}

}  // namespace

std::string format_number(int number, std::string_view format) {
  constexpr std::string_view kStems[] = {"甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"};
  constexpr int kLargest = 780;  // 30 letters.
  const bool is_small = number >= 1 && number <= kLargest;
  if (is_small && format == "lowerRoman") return roman(number);
  if (is_small && format == "upperRoman") return upper_case(roman(number));
  if (is_small && format == "lowerLetter") return letters(number);
  if (is_small && format == "upperLetter") return upper_case(letters(number));
  if (number >= 1 && number <= 10 && format == "ideographTraditional") return std::string(kStems[number - 1]);
  if (number >= 1 && number <= 20 && format.starts_with("decimalEnclosedCircle")) {
    std::string circle;
    append_character(circle, U'①' + static_cast<char32_t>(number - 1));
    return circle;
  }
  if (format == "decimalZero") return fmt::format("{:02}", number);
  const bool is_chinese = format.starts_with("chineseCounting") || format.starts_with("japaneseCounting") ||
                          format.starts_with("taiwaneseCounting") || format == "ideographDigital";
  if (is_chinese && number >= 1 && number <= 9999) return chinese(number);
  return fmt::format("{}", number);
}

class DocxNumbersReader : public XmlHandler {
 public:
  explicit DocxNumbersReader(DocxNumbers& numbers) : numbers_(numbers) {}

  void begin(std::string_view name, std::span<const XmlAttribute> attributes) override {
    const std::string_view value = attribute(attributes, "val");
    if (name == "abstractNum") {
      levels_ = &numbers_.levels_[std::string(attribute(attributes, "abstractNumId"))];
    } else if (name == "num") {
      list_ = &numbers_.lists_[std::string(attribute(attributes, "numId"))];
    } else if (name == "abstractNumId" && list_ != nullptr) {
      list_->levels = value;
    } else if (name == "lvlOverride") {
      override_ = number_of(attribute(attributes, "ilvl"));
    } else if (name == "startOverride" && list_ != nullptr) {
      list_->restarts[override_] = number_of(value);
    } else if (name == "lvl") {
      const int level = std::min(number_of(attribute(attributes, "ilvl")), DocxNumbers::kLevels - 1);
      level_ = list_ != nullptr     ? &list_->replaced[level]
               : levels_ != nullptr ? &(*levels_)[static_cast<size_t>(level)]
                                    : nullptr;
    } else if (level_ != nullptr) {
      if (name == "start") level_->start = number_of(value);
      if (name == "numFmt") level_->format = value;
      if (name == "lvlText") level_->text = value;
      if (name == "isLgl") level_->is_legal = value != "0" && value != "false";
    }
  }

  void end(std::string_view name) override {
    if (name == "abstractNum") levels_ = nullptr;
    if (name == "num") list_ = nullptr;
    if (name == "lvl") level_ = nullptr;
  }

  void text(std::string_view) override {}

 private:
  DocxNumbers& numbers_;
  DocxNumbers::Levels* levels_ = nullptr;
  DocxNumbers::List* list_ = nullptr;
  DocxNumbers::Level* level_ = nullptr;
  int override_ = 0;
};

DocxNumbers::DocxNumbers(std::string_view xml) {
  if (xml.empty()) return;
  DocxNumbersReader reader(*this);
  read_xml(xml, XmlKind::strict, reader);
}

const DocxNumbers::Level& DocxNumbers::level_of(const List& list, int level) const {
  const auto replaced = list.replaced.find(level);
  return replaced != list.replaced.end() ? replaced->second : levels_.at(list.levels)[static_cast<size_t>(level)];
}

std::string DocxNumbers::next(const DocxNumbering& numbering) {
  constexpr int kUnused = -1;
  const auto found = lists_.find(numbering.list);
  if (found == lists_.end() || !levels_.contains(found->second.levels)) return "";
  List& list = found->second;
  const int level = std::clamp(numbering.level, 0, kLevels - 1);
  std::array<int, kLevels> unused;
  unused.fill(kUnused);
  std::array<int, kLevels>& counters = counters_.try_emplace(list.levels, unused).first->second;
  for (const auto& [restarted, start] : std::exchange(list.restarts, {})) {
    if (restarted < kLevels) counters[static_cast<size_t>(restarted)] = start - (restarted == level ? 1 : 0);
  }
  for (int i = 0; i <= level; ++i) {
    int& counter = counters[static_cast<size_t>(i)];
    if (counter == kUnused) counter = level_of(list, i).start - (i == level ? 1 : 0);
  }
  ++counters[static_cast<size_t>(level)];
  std::fill(counters.begin() + level + 1, counters.end(), kUnused);
  const Level& form = level_of(list, level);
  if (form.format == "bullet") return "- ";
  if (form.format == "none") return "";
  std::string text;
  for (size_t i = 0; i < form.text.size(); ++i) {
    const bool is_number =
        form.text[i] == '%' && i + 1 < form.text.size() && form.text[i + 1] >= '1' && form.text[i + 1] - '1' <= level;
    if (!is_number) {
      text += form.text[i];
      continue;
    }
    const int which = form.text[++i] - '1';
    const std::string& format = level_of(list, which).format;
    text += format_number(counters[static_cast<size_t>(which)], form.is_legal ? "decimal" : std::string_view(format));
  }
  return text.empty() ? "" : text + " ";
}

}  // namespace tinyllm::documents
