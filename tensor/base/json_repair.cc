#include <tinyllm/tensor/base/json_repair.h>

#include <algorithm>
#include <cstddef>

namespace tinyllm {
namespace {

constexpr size_t kMostDigits = 15;  // A double holds these exactly.

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The UTF-16 unit of the escape \uXXXX at `at`; -1 if there is none.
int unit_at(std::string_view json, size_t at) {
  if (json.size() < 6 || at > json.size() - 6 || json[at] != '\\' || json[at + 1] != 'u') return -1;
  int unit = 0;
  for (const char c : json.substr(at + 2, 4)) {
    const char lower = static_cast<char>(c | 0x20);
    if (!is_digit(c) && (lower < 'a' || lower > 'f')) return -1;
    unit = 16 * unit + (is_digit(c) ? c - '0' : lower - 'a' + 10);
  }
  return unit;
}

bool is_high(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

size_t digits_end(std::string_view json, size_t at) {
  while (at < json.size() && is_digit(json[at])) ++at;
  return at;
}

class Repair {
 public:
  explicit Repair(std::string_view json) : json_(json) { repaired_.reserve(json.size()); }

  std::string take() {
    while (at_ < json_.size()) {
      const char c = json_[at_];
      if (c == '"') {
        string();
      } else if (c == '-' || is_digit(c) || c == 'N' || c == 'I') {
        number();
      } else {
        copy(1);
      }
    }
    return std::move(repaired_);
  }

 private:
  void copy(size_t size) {
    repaired_ += json_.substr(at_, size);
    at_ = std::min(at_ + size, json_.size());
  }

  // Up to the closing quote, or to the end of the text if there is none.
  void string() {
    copy(1);
    while (at_ < json_.size() && json_[at_] != '"') {
      if (json_[at_] != '\\') {
        copy(1);
        continue;
      }
      const int unit = unit_at(json_, at_);
      if (is_high(unit) && is_low(unit_at(json_, at_ + 6))) {
        copy(12);
      } else if (is_high(unit) || is_low(unit)) {
        repaired_ += "\\ufffd";
        at_ += 6;
      } else {
        copy(2);
      }
    }
    copy(1);
  }

  // A number as RFC 8259 defines it, or one of Python's names. Anything else is copied.
  void number() {
    for (const std::string_view name : {"NaN", "Infinity", "-Infinity"}) {
      if (!json_.substr(at_).starts_with(name)) continue;
      return zero(name.size());
    }
    const size_t whole = at_ + (json_[at_] == '-' ? 1 : 0);
    size_t end = digits_end(json_, whole);
    if (end == whole || (json_[whole] == '0' && end > whole + 1)) return copy(std::max<size_t>(end - at_, 1));
    size_t digits = end - whole;
    if (end < json_.size() && json_[end] == '.') {
      const size_t part = digits_end(json_, end + 1);
      if (part == end + 1) return copy(part - at_);
      digits += part - end - 1;
      end = part;
    }
    bool has_exponent = false;
    if (end < json_.size() && (json_[end] == 'e' || json_[end] == 'E')) {
      const bool has_sign = end + 1 < json_.size() && (json_[end + 1] == '+' || json_[end + 1] == '-');
      const size_t power = end + (has_sign ? 2 : 1);
      has_exponent = digits_end(json_, power) > power;
      if (!has_exponent) return copy(std::min(power, json_.size()) - at_);
      end = digits_end(json_, power);
    }
    if (!has_exponent && digits <= kMostDigits) return copy(end - at_);
    zero(end - at_);
  }

  void zero(size_t size) {
    repaired_ += '0';
    repaired_.append(size - 1, ' ');
    at_ += size;
  }

  std::string_view json_;
  size_t at_ = 0;
  std::string repaired_;
};

}  // namespace

std::string repair_json(std::string_view json) { return Repair(json).take(); }

}  // namespace tinyllm
