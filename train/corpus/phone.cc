#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/train/corpus/phone.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

namespace tinyllm::corpus {

using namespace documents;
namespace {

bool is_number(char c) { return is_digit(static_cast<unsigned char>(c)); }
bool is_word(char c) { return is_ascii_alphanumeric(static_cast<unsigned char>(c)); }

// Digits without a separator, and what separates them from those before.
struct Group {
  std::string_view digits;
  std::string_view separator;
  size_t end = 0;  // In the text.
};
using Groups = std::span<const Group>;

// The size of the separator of digits at the front of a text; 0 if there is none.
size_t separator_size(std::string_view text) {
  if (text.empty()) return 0;
  if (std::string_view(" -.()").find(text[0]) != std::string_view::npos) return 1;
  for (const std::string_view wide : {"（", "）", "－", "–"}) {
    if (text.starts_with(wide)) return wide.size();
  }
  return 0;
}

std::vector<Group> groups_at(std::string_view text, size_t at) {
  constexpr size_t kMostGroups = 7;
  constexpr size_t kMostDigits = 16;
  constexpr int kLongestSeparator = 3;
  std::vector<Group> groups;
  for (size_t last = at; groups.size() < kMostGroups;) {
    size_t begin = last;
    for (int i = 0; i < kLongestSeparator; ++i) begin += separator_size(text.substr(begin));
    size_t end = begin;
    while (end < text.size() && end <= begin + kMostDigits && is_number(text[end])) ++end;
    if (end == begin || end > begin + kMostDigits) break;
    groups.push_back({text.substr(begin, end - begin), text.substr(last, begin - last), end});
    last = end;
  }
  return groups;
}

std::string digits_of(Groups groups) {
  std::string digits;
  for (const Group& group : groups) digits += group.digits;
  return digits;
}

bool has_sizes(Groups groups, std::initializer_list<size_t> sizes) {
  return std::equal(groups.begin(), groups.end(), sizes.begin(), sizes.end(),
                    [](const Group& group, size_t size) { return group.digits.size() == size; });
}

bool is_mobile(Groups groups) {
  const std::string digits = digits_of(groups);
  if (digits.size() != 11 || digits[0] != '1' || digits[1] < '3') return false;
  return groups.size() == 1 || has_sizes(groups, {3, 4, 4}) || has_sizes(groups, {3, 8}) || has_sizes(groups, {7, 4}) ||
         has_sizes(groups, {3, 3, 5}) || has_sizes(groups, {3, 5, 3});
}

// An area code and seven or eight digits, with an extension after a hyphen or without.
bool is_landline(Groups groups, bool has_country) {
  if (groups.size() > 2 && groups.back().separator == "-" && groups.back().digits.size() <= 5 &&
      is_landline(groups.first(groups.size() - 1), has_country)) {
    return true;
  }
  if (has_country && !groups.empty() && groups[0].digits == "0") groups = groups.subspan(1);
  if (groups.size() < 2 || groups.size() > 3) return false;
  const std::string_view area = groups[0].digits;
  const size_t rest = digits_of(groups.subspan(1)).size();
  const bool is_area =
      area[0] == '0' ? area.size() == 3 || area.size() == 4 : has_country && (area.size() == 2 || area.size() == 3);
  return is_area && (rest == 7 || rest == 8) && (groups.size() == 2 || groups[1].digits.size() >= 3);
}

bool is_hotline(Groups groups) {
  const bool is_prefix = groups[0].digits == "400" || groups[0].digits == "800";
  return is_prefix && (has_sizes(groups, {3, 3, 4}) || has_sizes(groups, {3, 4, 3}) || has_sizes(groups, {3, 7}));
}

bool is_american(Groups groups) {
  if (groups[0].digits == "1") groups = groups.subspan(1);
  return has_sizes(groups, {3, 3, 4}) && groups[0].digits[0] >= '2' && groups[1].digits[0] >= '2';
}

// A number after its country code, 86 or 0086, which may be written without a separator.
bool is_chinese_abroad(Groups groups) {
  for (const std::string_view code : {"0086", "86"}) {
    if (groups[0].digits == code) {
      return groups.size() > 1 && (is_mobile(groups.subspan(1)) || is_landline(groups.subspan(1), true));
    }
    if (!groups[0].digits.starts_with(code)) continue;
    std::vector<Group> rest(groups.begin(), groups.end());
    rest[0].digits.remove_prefix(code.size());
    return is_mobile(rest);
  }
  return false;
}

// A dot separates all groups or none: else it is a decimal or the end of a sentence.
bool has_sound_dots(Groups groups) {
  const auto has_dot = [](const Group& group) { return group.separator.find('.') != std::string_view::npos; };
  const auto is_dot = [](const Group& group) { return group.separator == "."; };
  groups = groups.subspan(1);
  return std::none_of(groups.begin(), groups.end(), has_dot) || std::all_of(groups.begin(), groups.end(), is_dot);
}

// Whether the number may end here: not in a word, a decimal, or a sum of money.
bool may_end(std::string_view rest) {
  if (rest.empty()) return true;
  if (is_word(rest[0]) || rest[0] == '%') return false;
  if (rest[0] == '.' && rest.size() > 1 && is_number(rest[1])) return false;
  for (const std::string_view unit : {"元", "美元", "万", "亿", "萬", "億"}) {
    if (rest.starts_with(unit)) return false;
  }
  return true;
}

constexpr std::array<std::string_view, 16> kLabels = {"call", "cell",   "contact",  "fax", "mob", "mobile",
                                                      "no",   "ph",     "phone",    "qq",  "t",   "tel",
                                                      "vx",   "wechat", "whatsapp", "wx"};
static_assert(std::is_sorted(kLabels.begin(), kLabels.end()));

// Words that name other kinds of numbers.
constexpr std::array<std::string_view, 22> kOthers = {
    "article", "case", "chapter", "doi",    "ean",  "invoice", "isbn", "isrc",   "issn",     "item", "model",
    "order",   "page", "part",    "patent", "room", "serial",  "sku",  "ticket", "tracking", "upc",  "version"};
static_assert(std::is_sorted(kOthers.begin(), kOthers.end()));
constexpr std::array<std::string_view, 20> kChineseOthers = {
    "订单",   "订单号", "单号", "编号", "房间", "房间号", "房号", "发票", "发票号", "序列号",
    "流水号", "运单",   "快递", "版本", "型号", "批号",   "书号", "货号", "专利号", "条码"};

template <size_t kSize>
bool is_one_of(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::binary_search(words.begin(), words.end(), word);
}

std::string_view last_word(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0 && is_ascii_letter(static_cast<unsigned char>(text[begin - 1]))) --begin;
  return text.substr(begin);
}

void strip_marks(std::string_view& text) {
  for (;;) {
    if (text.ends_with("：") || text.ends_with("№")) {
      text.remove_suffix(3);
    } else if (!text.empty() && std::string_view(" :#=.-_\"'(").find(text.back()) != std::string_view::npos) {
      text.remove_suffix(1);
    } else {
      return;
    }
  }
}

// Whether the words before a number say that it is of another kind: "Order No. 12", "订单号：12".
bool names_other(std::string_view before) {
  constexpr size_t kLooked = 40;
  if (before.size() > kLooked) before.remove_prefix(before.size() - kLooked);
  const std::string lower = lower_case(before);
  std::string_view text = lower;
  strip_marks(text);
  for (const std::string_view number : {"number", "num", "no", "nr", "号码"}) {
    if (last_word(text) != number && !(number == "号码" && text.ends_with(number))) continue;
    text.remove_suffix(number.size());
    strip_marks(text);
    break;
  }
  const auto ends_text = [&](std::string_view word) { return text.ends_with(word); };
  const std::string_view token = text.substr(text.find_last_of(' ') + 1);
  return is_one_of(kOthers, last_word(text)) || std::any_of(kChineseOthers.begin(), kChineseOthers.end(), ends_text) ||
         token.starts_with("10.") || token.find("doi.org") != std::string_view::npos;
}

enum class Start { none, whole, any };

// Whether a number may begin after this text: not within a word, a decimal or a sum of money. After other digits, as of
// a bank card, only one that is written without separators.
Start start_after(std::string_view before) {
  if (before.empty()) return Start::any;
  if (is_word(before.back())) return is_one_of(kLabels, lower_case(last_word(before))) ? Start::any : Start::none;
  for (const std::string_view currency : {"$", "¥", "￥", "€", "£"}) {
    if (before.ends_with(currency)) return Start::none;
  }
  const std::string_view words = before.substr(0, before.size() - 1);
  const size_t digits = words.size() - (words.find_last_not_of("0123456789") + 1);
  if (digits == 0) return Start::any;
  if (before.back() == '.') return Start::none;
  const bool is_joined = std::string_view("-_/").find(before.back()) != std::string_view::npos;
  return is_joined || (before.back() == ' ' && digits > 2) ? Start::whole : Start::any;
}

}  // namespace

size_t phone_end(std::string_view text, size_t at, size_t least) {
  const std::string_view before = text.substr(least, at - least);
  const Start start = start_after(before);
  if (start == Start::none) return at;
  const std::vector<Group> groups = groups_at(text, at);
  const bool has_plus = before.ends_with('+') && (before.size() < 2 || !is_word(before[before.size() - 2]));
  size_t found = at;
  size_t abroad = at;  // The same for any country.
  for (size_t n = 1; n <= groups.size(); ++n) {
    const Groups g = Groups(groups).first(n);
    if (!may_end(text.substr(g.back().end)) || !has_sound_dots(g)) continue;
    if (start == Start::whole && n > 1) break;
    if (is_mobile(g) || is_chinese_abroad(g) || is_landline(g, false) || is_hotline(g) || is_american(g)) {
      found = g.back().end;
    }
    const size_t digits = digits_of(g).size();
    if (has_plus && digits >= 8 && digits <= 15) abroad = g.back().end;
  }
  if (found == at) found = abroad;
  return found > at && !has_plus && names_other(before) ? at : found;
}

}  // namespace tinyllm::corpus
