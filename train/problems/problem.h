#pragma once

#include <tinyllm/tensor/base/names.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::problems {

inline constexpr int kLevels = 3;

enum class Language : uint8_t { chinese, english };
constexpr auto names(Language) { return std::array{"chinese", "english"}; }

/// What a problem is for. All but those of `train` are held out: no seed makes them for training.
enum class Split : uint8_t {
  train,
  numbers,      ///< Its numbers are not trained on in this kind of problem: one in ten, by their hash.
  wording,      ///< A wording that is not trained on.
  composition,  ///< Two operations, one on the result of the other, that are not trained on together: one pair in six.
  range,  ///< A number longer than all of levels 1 and 2, or of level 3. Level 3 has numbers as long as the longer
          ///< ones of levels 1 and 2, and is not to be trained on before these are measured.
};
constexpr auto names(Split) { return std::array{"train", "numbers", "wording", "composition", "range"}; }

/// One of the problems that a problem is made of.
struct Part {
  size_t kind = 0;
  size_t wording = 0;
  std::vector<int64_t> numbers = {};         ///< What was drawn, in the order of the kind; 0 for one that was taken.
  std::vector<int64_t> more = {};            ///< What else was drawn that changes the answer.
  std::vector<std::string> operations = {};  ///< In the order of the reasoning.
  std::string takes = {};                    ///< The name of the number that is the result of the part before.
  std::map<std::string, std::string> values = {};  ///< Its numbers and words by name: "12", "3/5", "小明".
};

/// A made-up problem with its reasoning, of which every equation was checked by the calculator, and its answer.
struct Problem {
  std::string kind;  ///< That of its main part.
  int level = 1;
  Language language = Language::chinese;
  std::string system = {};
  std::string question = {};
  std::string cot = {};
  std::string final = {};   ///< "答案：12个。", "Answer: 12 apples."
  std::string answer = {};  ///< "12个"
  Split split = Split::train;
  std::vector<Part> parts = {};  ///< None if a real question was redrawn; then where it came from.
  std::string source = {};
  std::string license = {};
};

/// What the model is told to be.
const char* system_prompt(Language language);

/// The names of all kinds.
std::vector<std::string> kind_names();

/// Whether there are problems of a kind for a split: those whose numbers have a fixed range have none of longer range,
/// and those that cannot be composed have no new composition.
bool has_split(std::string_view kind, int level, Split split);

/// What a problem is for: a function of its parts and level alone. A problem that is held out in several ways belongs
/// to the last of them in the order of `Split`.
Split split_of(const Problem& problem);

/// What is asked for.
struct Wanted {
  std::string kind;
  int level = 1;
  Language language = Language::chinese;
  Split split = Split::train;
};

/// A problem: a function of its arguments. Level 1 is one problem of 1 to 3 steps with numbers of at most two digits;
/// level 2 is two of them, the second on the result of the first, with three digits, and in a third a number that
/// nothing depends on; level 3 is three or four of them with up to five digits and two such numbers. Puzzles about who
/// is what are not composed, but have more people. Throws Error for a wanted that does not exist.
Problem make_problem(const Wanted& wanted, uint64_t seed, uint64_t index);

/// A problem as a line of JSON in the form `cot` of samples, without the end of the line.
std::string as_sample(const Problem& problem);

}  // namespace tinyllm::problems
