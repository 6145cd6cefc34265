#include <tinyllm/train/problems/split.h>

#include <tinyllm/train/problems/kind.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

namespace tinyllm::problems {
namespace {

bool has_longer_number(const Kind& kind, const Part& part, int level) {
  for (size_t i = 0; i < part.numbers.size(); ++i) {
    const Number& number = kind.numbers[i];
    const size_t digits = std::to_string(kind.longest(number, level)).size();
    if (number.may_be_longer() && std::to_string(part.numbers[i]).size() > digits) return true;
  }
  return false;
}

}  // namespace

bool is_held_out(std::string_view text, uint64_t every) { return XXH3_64bits(text.data(), text.size()) % every == 0; }

bool is_pair_held_out(const std::string& first, const std::string& second) {
  constexpr uint64_t kEvery = 6;
  return is_held_out(fmt::format("{} on {}", first, second), kEvery);
}

Split split_of(const Problem& problem) {
  constexpr uint64_t kEvery = 10;
  Split split = Split::train;
  const auto is = [&](Split held_out) { split = std::max(split, held_out); };
  std::string before;
  for (const Part& part : problem.parts) {
    const Kind& kind = all_kinds()[part.kind];
    // Each part by itself: a problem that is held out is no part of another one that is trained on.
    const std::string numbers =
        fmt::format("{}: {}; {}", kind.name, fmt::join(part.numbers, " "), fmt::join(part.more, " "));
    if (is_held_out(numbers, kEvery)) is(Split::numbers);
    if (part.wording + 1 == kind.wordings.size()) is(Split::wording);
    for (const std::string& operation : part.operations) {
      if (!before.empty() && is_pair_held_out(before, operation)) is(Split::composition);
      before = operation;
    }
    if (has_longer_number(kind, part, problem.level)) is(Split::range);
  }
  return split;
}

}  // namespace tinyllm::problems
