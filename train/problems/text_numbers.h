// The numbers of a question that somebody wrote. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/rational.h>
#include <tinyllm/tensor/base/random.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::problems {

/// A number in digits, at bytes [begin, end) of its text: 1,200, 3.5, 20%, 3/4.
struct TextNumber {
  size_t begin = 0;
  size_t end = 0;
  Rational value = {};
  int64_t digits = 0;  ///< Its value times 10^places; of a fraction the numerator.
  int64_t below = 1;   ///< The denominator of a fraction.
  int places = 0;      ///< After the point.
  bool is_percent = false;
  bool has_commas = false;
  /// It names something rather than counting it: a date, a time of day, a place in an order, a part of a word.
  bool is_name = false;
  /// It cannot be read: 3.5.1, 12345678901.
  bool is_odd = false;

  std::string text() const;
};

/// All numbers in digits, in order. If there are fractions, they may stand in brackets, which belong to them; otherwise
/// 48/2 is two numbers. Linear in the length.
std::vector<TextNumber> numbers_in(std::string_view text, bool has_fractions = true);

/// Whether a text has a whole number from 2 to 12 in words: 三, 两, three, twice.
bool has_in_words(std::string_view text, int64_t number);

/// Another number like this one: as many digits, places and zeros at the end, of a similar size; a percentage stays
/// below 100, a fraction below 1. 1 stays 1.
TextNumber similar(const TextNumber& number, Random& random);

/// A value in the way this number is written: with its commas, its percent sign, its zeros after the point. Nothing if
/// it has more than 4 places.
std::optional<std::string> written_like(const TextNumber& number, const Rational& value);

/// A text with other numbers in the places of its own.
std::string replaced(std::string_view text, const std::vector<TextNumber>& numbers, const std::vector<std::string>& by);

}  // namespace tinyllm::problems
