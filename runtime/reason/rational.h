#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tinyllm {

/// Why an expression has no value.
enum class CalculatorError : uint8_t {
  empty,                    ///< Nothing but blanks.
  syntax,                   ///< As 1+ or 1//2.
  unbalanced,               ///< A bracket that is not closed, not opened, or closed by another kind.
  unknown_character,        ///< As 3x4: letters are variables, not operators.
  implicit_multiplication,  ///< As 2(3+4): 6÷2(1+2) can be read in two ways.
  division_by_zero,
  undefined,             ///< 0^0
  non_integer_exponent,  ///< As 4^(1/2): there are no roots, even where they are exact.
  limit_exponent,        ///< An exponent beyond ±4096, of a power or in 1e5000.
  limit_size,            ///< A numerator or denominator of more than 16384 bits.
  limit_depth,           ///< More than 64 brackets, signs and powers within one another.
  limit_length,          ///< More than 4096 bytes.
  limit_work,            ///< Many operations on numbers near the limit of size.
};
/// The name of an error, as in "division_by_zero".
std::string_view name_of(CalculatorError error);

/// An exact rational number in lowest terms, with a positive denominator. Immutable. Numbers of 64 bits are stored in
/// the object; others are GMP's and shared by copies.
class Rational {
 public:
  Rational() = default;
  Rational(int64_t value);  // NOLINT(google-explicit-constructor): a whole number is a rational one.

  bool is_integer() const;
  /// -1, 0 or 1.
  int sign() const;
  Rational operator-() const;
  /// As "7", "-15/2".
  std::string str() const;
  /// As "0.25"; nothing if it takes more than `places` digits after the point.
  std::optional<std::string> decimal(int places) const;
  /// The nearest number with `places` digits after the point; before it if negative. Halves are rounded away from zero.
  Rational rounded(int places) const;

  friend bool operator==(const Rational& a, const Rational& b);
  friend std::strong_ordering operator<=>(const Rational& a, const Rational& b);

 private:
  friend class Arithmetic;
  struct Big;
  static Rational from(Big&& value);
  Big big() const;

  int64_t numerator_ = 0;
  int64_t denominator_ = 1;
  std::shared_ptr<const Big> big_;  // If set, the two above mean nothing.
};

/// Computes with rational numbers within the limits of the calculator. After an error, every result is 0; the first
/// error is kept. The work of one object is bounded too, to about a millisecond: it is counted in limbs, not measured,
/// so that the same input has the same result everywhere.
class Arithmetic {
 public:
  /// A row of ASCII digits times a power of ten. Errors: limit_exponent, limit_size.
  Rational decimal(std::string_view digits, int64_t exponent);
  Rational sum(const Rational& a, const Rational& b);
  Rational difference(const Rational& a, const Rational& b) { return sum(a, -b); }
  Rational product(const Rational& a, const Rational& b);
  /// Errors: division_by_zero.
  Rational quotient(const Rational& a, const Rational& b);
  /// Errors: non_integer_exponent, limit_exponent, undefined, division_by_zero, in this order.
  Rational power(const Rational& base, const Rational& exponent);
  /// Below 0, 0 or above 0, as a is smaller than b, equal or larger.
  int compare(const Rational& a, const Rational& b);

  std::optional<CalculatorError> error() const { return error_; }

 private:
  Rational fail(CalculatorError error);
  Rational checked(Rational::Big&& value);
  bool spend(int64_t work);

  std::optional<CalculatorError> error_;
  int64_t work_ = 0;
};

inline constexpr int64_t kCalculatorMaxExponent = 4096;
inline constexpr int64_t kCalculatorMaxBits = 16384;

}  // namespace tinyllm
