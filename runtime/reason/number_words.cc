#include <tinyllm/runtime/reason/number_words.h>

namespace tinyllm {
namespace {
/// Reads digits and scales from left to right: 三万五千 is (3)·10^4 + 5·1000.
class Reader {
 public:
  bool digit(int value) {
    if (has_digit_) return false;
    has_digit_ = value != 0;
    digit_ = value;
    if (value == 0) skipped_ = true;
    return true;
  }

  bool scale(int64_t scale) {
    if (scale >= 10000) return big_scale(scale);
    // 十五 and 一百十五 leave out the 一.
    if (!has_digit_ && scale != 10) return false;
    if (section_scale_ != 0 && scale >= section_scale_) return false;
    section_ += (has_digit_ ? digit_ : 1) * scale;
    section_scale_ = scale;
    ended(scale);
    return true;
  }

  std::optional<int64_t> end() {
    int64_t last = digit_;
    // 一百五 leaves out the last scale; 一百零五 does not.
    if (has_digit_ && !skipped_ && last_scale_ >= 100) last *= last_scale_ / 10;
    if (!has_digit_) last = 0;
    int64_t total = 0;
    if (__builtin_add_overflow(total_, section_ + last, &total)) return {};
    return total;
  }

 private:
  bool big_scale(int64_t scale) {
    int64_t section = section_ + (has_digit_ ? digit_ : 0);
    if (scale == 10000) {
      if (section == 0 || big_scale_ == 10000) return false;
      if (__builtin_mul_overflow(section, scale, &section) || __builtin_add_overflow(total_, section, &total_))
        return false;
    } else {  // 一万亿: 亿 multiplies all before it.
      if (big_scale_ == scale || __builtin_add_overflow(total_, section, &total_) || total_ == 0 ||
          __builtin_mul_overflow(total_, scale, &total_))
        return false;
    }
    big_scale_ = scale;
    section_ = 0;
    section_scale_ = 0;
    ended(scale);
    return true;
  }

  void ended(int64_t scale) {
    last_scale_ = scale;
    has_digit_ = false;
    skipped_ = false;
    digit_ = 0;
  }

  int64_t total_ = 0;
  int64_t section_ = 0;
  int64_t section_scale_ = 0;
  int64_t big_scale_ = 0;
  int64_t last_scale_ = 0;
  int64_t digit_ = 0;
  bool has_digit_ = false;
  bool skipped_ = false;  // A zero since the last scale.
};
}  // namespace

std::optional<int> digit_word(char32_t c) {
  switch (c) {
    case U'零':
    case U'〇':
      return 0;
    case U'一':
    case U'壹':
      return 1;
    case U'二':
    case U'两':
    case U'俩':
    case U'贰':
      return 2;
    case U'三':
    case U'仨':
    case U'叁':
      return 3;
    case U'四':
    case U'肆':
      return 4;
    case U'五':
    case U'伍':
      return 5;
    case U'六':
    case U'陆':
      return 6;
    case U'七':
    case U'柒':
      return 7;
    case U'八':
    case U'捌':
      return 8;
    case U'九':
    case U'玖':
      return 9;
    default:
      return {};
  }
}

int64_t scale_word(char32_t c) {
  switch (c) {
    case U'十':
    case U'拾':
      return 10;
    case U'百':
    case U'佰':
      return 100;
    case U'千':
    case U'仟':
      return 1000;
    case U'万':
    case U'萬':
      return 10000;
    case U'亿':
    case U'億':
      return 100000000;
    default:
      return 0;
  }
}

std::optional<NumberWords> number_words(std::u32string_view text, size_t at) {
  size_t end = at;
  bool has_scale = false;
  while (end < text.size() && (digit_word(text[end]) || scale_word(text[end]) != 0)) {
    // 千 of 千米 and 百 of 百分之 belong to what follows; 两 is a weight behind a digit.
    if (scale_word(text[end]) >= 100 && end + 1 < text.size()) {
      constexpr std::u32string_view kUnits = U"米克瓦卡焦帕赫伏字";
      if (text[end] == U'千' && kUnits.find(text[end + 1]) != std::u32string_view::npos) break;
      if (end > at && text.substr(end + 1, 2) == U"分之") break;
    }
    if (text[end] == U'两' && end > at && digit_word(text[end - 1]).value_or(0) != 0) break;
    has_scale |= scale_word(text[end]) != 0;
    ++end;
  }
  if (end == at || end - at > 40) return {};
  NumberWords number{end, 0};
  if (!has_scale) {  // 二〇二四 is read digit by digit.
    for (size_t i = at; i < end; ++i) {
      if (__builtin_mul_overflow(number.value, 10, &number.value) ||
          __builtin_add_overflow(number.value, *digit_word(text[i]), &number.value))
        return {};
    }
    return number;
  }
  // 百分之五 begins with a scale alone.
  if (end == at + 1 && text.substr(end, 2) == U"分之") return NumberWords{end, scale_word(text[at])};
  Reader reader;
  for (size_t i = at; i < end; ++i) {
    const std::optional<int> digit = digit_word(text[i]);
    if (digit ? !reader.digit(*digit) : !reader.scale(scale_word(text[i]))) return {};
  }
  const std::optional<int64_t> value = reader.end();
  if (!value) return {};
  number.value = *value;
  return number;
}

}  // namespace tinyllm
