// What a kind of problem consists of. For the files of this folder alone.
#pragma once

#include <tinyllm/train/problems/problem.h>

#include <array>
#include <string>
#include <vector>

namespace tinyllm::problems {

/// A text in Chinese and in English. {x} stands for the number or the word x of a scene.
using Texts = std::array<std::string, 2>;

/// How a number is written. One that cannot be written so makes no problem, and other numbers are drawn.
enum class Form : uint8_t {
  whole,
  decimal,   ///< At most 4 places.
  fraction,  ///< In lowest terms.
  percent,   ///< Whole percents.
};

/// A whole number that is drawn, from `low` to what the level allows. One whose highs differ is up to ten times as
/// large in problems held out by range.
struct Number {
  std::string name;
  int64_t low;
  std::array<int64_t, kLevels> high;

  bool may_be_longer() const { return high.front() != high.back(); }
};

/// A number that others decide. It is not part of the reasoning.
struct Given {
  std::string name;
  std::string expression;
  Form form = Form::whole;
};

/// A step of the reasoning: one operation, whose result gets a name.
struct Step {
  std::string name;
  std::string expression;
  Texts why = {};
  Form form = Form::whole;
  std::string when = {};  ///< A condition, without which the step is left out.
};

struct Scene;

/// A kind of problem. All its wordings ask for the same.
struct Kind {
  std::string name;
  std::vector<Number> numbers;
  std::vector<Given> given = {};
  std::vector<std::string> conditions = {};
  /// Makes what a table cannot say: words, clues and steps. False: the numbers make no problem.
  bool (*arrange)(Scene&) = nullptr;
  std::vector<Texts> wordings = {};  ///< The last one is for tests alone.
  Texts known = {};                  ///< The numbers with their roles, which the reasoning begins with.
  std::vector<Step> steps = {};
  Texts answer = {};
  std::string takes = {};       ///< The number that another problem's result may take the place of.
  std::string gives = {};       ///< The result that may take the place of another problem's number.
  bool has_operations = false;  ///< It is composed of operations itself; `arrange` names them.

  /// It has a number that may be longer.
  bool may_be_longer() const;
  bool is_composable() const { return !takes.empty() || !gives.empty(); }
  /// The largest number that is not longer than those of the levels. Levels 1 and 2 share it, so that no part of a
  /// problem of level 2 is a longer one of level 1; all levels do if their problems are not composed.
  int64_t longest(const Number& number, int level) const {
    return number.high[is_composable() && level < kLevels ? kLevels - 2 : kLevels - 1];
  }
};

/// All kinds, each with a name of its own.
const std::vector<Kind>& all_kinds();

// The kinds by family, one file each.
std::vector<Kind> calculation_kinds();
std::vector<Kind> percentage_kinds();
std::vector<Kind> quantity_kinds();
std::vector<Kind> motion_kinds();
std::vector<Kind> pattern_kinds();
std::vector<Kind> logic_kinds();

}  // namespace tinyllm::problems
