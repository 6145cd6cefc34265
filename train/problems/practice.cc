#include <tinyllm/train/problems/practice.h>

#include <tinyllm/tensor/base/random.h>
#include <tinyllm/train/problems/chain.h>

#include <algorithm>
#include <array>

namespace tinyllm::problems {
namespace {

// The most digits of what is added, and of the factors of a product, by level.
constexpr std::array<int64_t, kLevels> kSumDigits = {3, 5, 6};
constexpr std::array<int64_t, kLevels> kFactorDigits = {2, 3, 4};

// A number of 1 to `digits` digits. All lengths are equally likely.
int64_t draw_number(int64_t digits, Random& random) {
  int64_t low = 1;
  for (int64_t more = random.below(digits); more > 0; --more) low *= 10;
  return low + random.below(9 * low);
}

std::string draw_equation(int level, Random& random) {
  const auto at = static_cast<size_t>(level - 1);
  const auto worked = [&](int64_t a, char sign, int64_t b, int64_t result) {
    return worked_out(std::to_string(a) + sign + std::to_string(b), std::to_string(result), Language::chinese);
  };
  const int64_t a = draw_number(kSumDigits[at], random), b = draw_number(kSumDigits[at], random);
  const int64_t x = draw_number(kFactorDigits[at], random), y = draw_number(kFactorDigits[at], random);
  switch (random.below(4)) {
    case 0:
      return worked(a, '+', b, a + b);
    case 1:
      return worked(std::max(a, b), '-', std::min(a, b), std::max(a, b) - std::min(a, b));
    case 2:
      return worked(x, '*', y, x * y);
    default:
      return worked(x * y, '/', x, y);
  }
}

}  // namespace

std::string practice(int level, uint64_t seed, uint64_t index) {
  constexpr int kEquations = 10;
  Random random(seed, index);
  std::string line;
  for (int i = 0; i < kEquations; ++i) line += draw_equation(level, random) + "。";
  return line;
}

}  // namespace tinyllm::problems
