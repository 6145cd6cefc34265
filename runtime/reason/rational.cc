#include <tinyllm/runtime/reason/rational.h>

#include <gmpxx.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace tinyllm {

struct Rational::Big {
  mpq_class value;
};

namespace {
// Of one Arithmetic, in products of two limbs as GMP's basecase computes them, about a quarter of a nanosecond each.
constexpr int64_t kMaxWork = int64_t{1} << 21;
// A greatest common divisor of a and b limbs costs about as much as this many products of a and b limbs.
constexpr int64_t kGcdWork = 8;
// What an operation on GMP's numbers costs besides, and each digit that is read.
constexpr int64_t kCallWork = 1000;
constexpr int64_t kDigitWork = 12;
constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

int64_t limbs(const mpz_class& value) { return static_cast<int64_t>(mpz_size(value.get_mpz_t())); }
int64_t bits(const mpz_class& value) { return static_cast<int64_t>(mpz_sizeinbase(value.get_mpz_t(), 2)); }
bool is_small(const mpz_class& value) { return mpz_fits_slong_p(value.get_mpz_t()) != 0 && value != -kLargest - 1; }

mpz_class power_of_ten(int64_t exponent) {
  mpz_class power;
  mpz_ui_pow_ui(power.get_mpz_t(), 10, static_cast<unsigned long>(exponent));
  return power;
}

// The nearest whole number; halves away from zero.
mpz_class nearest(const mpq_class& value) {
  mpz_class result;
  const mpz_class twice = 2 * abs(value.get_num()) + value.get_den();
  const mpz_class divisor = 2 * value.get_den();
  mpz_fdiv_q(result.get_mpz_t(), twice.get_mpz_t(), divisor.get_mpz_t());
  return value < 0 ? mpz_class(-result) : result;
}
}  // namespace

std::string_view name_of(CalculatorError error) {
  static constexpr std::array<std::string_view, 13> kNames = {"empty",
                                                              "syntax",
                                                              "unbalanced",
                                                              "unknown_character",
                                                              "implicit_multiplication",
                                                              "division_by_zero",
                                                              "undefined",
                                                              "non_integer_exponent",
                                                              "limit_exponent",
                                                              "limit_size",
                                                              "limit_depth",
                                                              "limit_length",
                                                              "limit_work"};
  return kNames[static_cast<size_t>(error)];
}

Rational::Rational(int64_t value) : numerator_(value) {
  if (value < -kLargest) *this = from(Big{mpq_class(mpz_class(value))});
}

Rational Rational::from(Big&& value) {
  Rational result;
  const mpz_class& numerator = value.value.get_num();
  const mpz_class& denominator = value.value.get_den();
  if (is_small(numerator) && is_small(denominator)) {
    result.numerator_ = numerator.get_si();
    result.denominator_ = denominator.get_si();
  } else {
    result.big_ = std::make_shared<const Big>(std::move(value));
  }
  return result;
}

Rational::Big Rational::big() const {
  if (big_) return *big_;
  return {mpq_class(mpz_class(numerator_), mpz_class(denominator_))};
}

bool Rational::is_integer() const { return big_ ? big_->value.get_den() == 1 : denominator_ == 1; }

int Rational::sign() const {
  if (big_) return sgn(big_->value);
  return numerator_ > 0 ? 1 : numerator_ < 0 ? -1 : 0;
}

Rational Rational::operator-() const {
  if (big_) return from(Big{mpq_class(-big_->value)});
  Rational result = *this;
  result.numerator_ = -numerator_;
  return result;
}

std::string Rational::str() const {
  if (big_) return big_->value.get_str();
  return denominator_ == 1 ? std::to_string(numerator_)
                           : std::to_string(numerator_) + '/' + std::to_string(denominator_);
}

std::optional<std::string> Rational::decimal(int places) const {
  mpq_class value = big().value;
  int digits = 0;
  for (; value.get_den() != 1; ++digits) {
    if (digits == places) return {};
    value *= 10;
  }
  std::string text = mpz_class(abs(value.get_num())).get_str();
  if (digits > 0) {
    const auto after = static_cast<size_t>(digits);
    if (text.size() <= after) text.insert(0, after + 1 - text.size(), '0');
    text.insert(text.size() - after, 1, '.');
  }
  return sign() < 0 ? '-' + text : text;
}

Rational Rational::rounded(int places) const {
  const mpz_class unit = power_of_ten(std::abs(int64_t{places}));
  const mpq_class value = big().value;
  mpq_class result = places < 0 ? mpq_class(nearest(value / unit) * unit) : mpq_class(nearest(value * unit), unit);
  result.canonicalize();
  return from(Big{std::move(result)});
}

bool operator==(const Rational& a, const Rational& b) {
  if (a.big_ && b.big_) return a.big_->value == b.big_->value;
  return !a.big_ && !b.big_ && a.numerator_ == b.numerator_ && a.denominator_ == b.denominator_;
}

std::strong_ordering operator<=>(const Rational& a, const Rational& b) {
  if (!a.big_ && !b.big_ && a.denominator_ == b.denominator_) return a.numerator_ <=> b.numerator_;
  return cmp(a.big().value, b.big().value) <=> 0;
}

Rational Arithmetic::fail(CalculatorError error) {
  if (!error_) error_ = error;
  return {};
}

bool Arithmetic::spend(int64_t work) {
  work_ += kCallWork + work;
  if (!error_ && work_ > kMaxWork) error_ = CalculatorError::limit_work;
  return !error_;
}

Rational Arithmetic::checked(Rational::Big&& value) {
  if (bits(value.value.get_num()) > kCalculatorMaxBits || bits(value.value.get_den()) > kCalculatorMaxBits)
    return fail(CalculatorError::limit_size);
  return Rational::from(std::move(value));
}

Rational Arithmetic::decimal(std::string_view digits, int64_t exponent) {
  if (error_) return {};
  if (std::abs(exponent) > kCalculatorMaxExponent) return fail(CalculatorError::limit_exponent);
  if (digits.size() <= 18 && exponent <= 0 && exponent >= -18) {
    Rational result;
    for (const char digit : digits) result.numerator_ = result.numerator_ * 10 + (digit - '0');
    if (exponent == 0) return result;
    for (; exponent < 0; ++exponent) result.denominator_ *= 10;
    const int64_t common = std::gcd(result.numerator_, result.denominator_);
    result.numerator_ /= common;
    result.denominator_ /= common;
    return result;
  }
  // A row of `digits` digits has more than 3 bits for each but the first, unless they are zeros.
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return {};
  if (static_cast<int64_t>(digits.size()) > kCalculatorMaxBits / 3) return fail(CalculatorError::limit_size);
  const mpz_class whole{std::string(digits)};
  const mpz_class power = power_of_ten(std::abs(exponent));
  const int64_t reading = kDigitWork * (static_cast<int64_t>(digits.size()) + std::abs(exponent));
  if (!spend(reading + (exponent < 0 ? kGcdWork : 1) * limbs(whole) * limbs(power))) return {};
  mpq_class value = exponent < 0 ? mpq_class(whole, power) : mpq_class(whole * power);
  value.canonicalize();
  return checked({std::move(value)});
}

Rational Arithmetic::sum(const Rational& a, const Rational& b) {
  if (error_) return {};
  if (!a.big_ && !b.big_) {
    Rational result;
    if (a.denominator_ == 1 && b.denominator_ == 1) {
      if (!__builtin_add_overflow(a.numerator_, b.numerator_, &result.numerator_) && result.numerator_ >= -kLargest)
        return result;
    } else {
      const int64_t common = std::gcd(a.denominator_, b.denominator_);
      int64_t left = 0;
      int64_t right = 0;
      if (!__builtin_mul_overflow(a.numerator_, b.denominator_ / common, &left) &&
          !__builtin_mul_overflow(b.numerator_, a.denominator_ / common, &right) &&
          !__builtin_add_overflow(left, right, &result.numerator_) && result.numerator_ >= -kLargest &&
          !__builtin_mul_overflow(a.denominator_, b.denominator_ / common, &result.denominator_)) {
        const int64_t divisor = std::gcd(result.numerator_, result.denominator_);
        result.numerator_ /= divisor;
        result.denominator_ /= divisor;
        return result;
      }
    }
  }
  const mpq_class x = a.big().value;
  const mpq_class y = b.big().value;
  const int64_t below = limbs(x.get_den()) * limbs(y.get_den());
  const int64_t cross = limbs(x.get_num()) * limbs(y.get_den()) + limbs(y.get_num()) * limbs(x.get_den());
  if (!spend(2 * kGcdWork * below + cross)) return {};
  return checked({x + y});
}

Rational Arithmetic::product(const Rational& a, const Rational& b) {
  if (error_) return {};
  if (!a.big_ && !b.big_) {
    // Both are in lowest terms, so that what the product can be reduced by lies across.
    const int64_t first = b.denominator_ == 1 ? 1 : std::gcd(a.numerator_, b.denominator_);
    const int64_t second = a.denominator_ == 1 ? 1 : std::gcd(b.numerator_, a.denominator_);
    Rational result;
    if (!__builtin_mul_overflow(a.numerator_ / first, b.numerator_ / second, &result.numerator_) &&
        result.numerator_ >= -kLargest &&
        !__builtin_mul_overflow(a.denominator_ / second, b.denominator_ / first, &result.denominator_))
      return result;
  }
  const mpq_class x = a.big().value;
  const mpq_class y = b.big().value;
  const int64_t cross = limbs(x.get_num()) * limbs(y.get_den()) + limbs(y.get_num()) * limbs(x.get_den());
  const int64_t straight = limbs(x.get_num()) * limbs(y.get_num()) + limbs(x.get_den()) * limbs(y.get_den());
  if (!spend(kGcdWork * cross + straight)) return {};
  return checked({x * y});
}

Rational Arithmetic::quotient(const Rational& a, const Rational& b) {
  if (error_) return {};
  if (b.sign() == 0) return fail(CalculatorError::division_by_zero);
  if (b.big_) return product(a, Rational::from({1 / b.big_->value}));
  Rational inverse;
  inverse.numerator_ = b.numerator_ < 0 ? -b.denominator_ : b.denominator_;
  inverse.denominator_ = std::abs(b.numerator_);
  return product(a, inverse);
}

Rational Arithmetic::power(const Rational& base, const Rational& exponent) {
  if (error_) return {};
  if (!exponent.is_integer()) return fail(CalculatorError::non_integer_exponent);
  if (exponent.big_ || std::abs(exponent.numerator_) > kCalculatorMaxExponent)
    return fail(CalculatorError::limit_exponent);
  const int64_t times = exponent.numerator_;
  if (base.sign() == 0 && times <= 0)
    return fail(times == 0 ? CalculatorError::undefined : CalculatorError::division_by_zero);
  const mpq_class value = base.big().value;
  const auto count = static_cast<unsigned long>(std::abs(times));
  // A number of n bits is at least 2^(n-1).
  const int64_t longest = std::max(bits(value.get_num()), bits(value.get_den()));
  if ((longest - 1) * std::abs(times) >= kCalculatorMaxBits) return fail(CalculatorError::limit_size);
  const int64_t result_limbs = longest * std::abs(times) / 64 + 1;
  if (!spend(2 * result_limbs * result_limbs)) return {};
  mpq_class result;
  mpz_pow_ui(result.get_num_mpz_t(), value.get_num_mpz_t(), count);
  mpz_pow_ui(result.get_den_mpz_t(), value.get_den_mpz_t(), count);
  return checked({times < 0 ? mpq_class(1 / result) : std::move(result)});
}

int Arithmetic::compare(const Rational& a, const Rational& b) {
  if (error_) return 0;
  if (a.big_ || b.big_) {
    const mpq_class x = a.big().value;
    const mpq_class y = b.big().value;
    if (!spend(limbs(x.get_num()) * limbs(y.get_den()) + limbs(y.get_num()) * limbs(x.get_den()))) return 0;
    return cmp(x, y);
  }
  return a < b ? -1 : a == b ? 0 : 1;
}

}  // namespace tinyllm
