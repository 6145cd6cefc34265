// A kind of problem with numbers and words. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/rational.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/train/problems/kind.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::problems {

struct Value {
  Rational value = {};
  std::string text = {};
  std::string said = {};  ///< In the question: a letter for the result of another problem.
};

/// How a number is written; nothing if it cannot be written in this form.
std::optional<std::string> written(const Rational& value, Form form);

/// The value of an expression. Throws Error if it has none: the kind is wrong.
Rational value_of(const std::string& expression);

struct Scene {
  const Kind* kind;
  int level;
  Language language;
  Random* random;
  std::map<std::string, Value, std::less<>> values = {};
  std::map<std::string, std::string, std::less<>> words = {};
  std::vector<Step> steps = {};  ///< Those of `arrange` come after those of the kind.
  std::vector<int64_t> numbers = {};
  std::vector<int64_t> more = {};
  std::vector<std::string> operations = {};

  int64_t draw(int64_t low, int64_t high) { return low + random->below(high - low + 1); }
  /// A drawn or given whole number.
  int64_t whole(std::string_view name) const;
  void put(const std::string& name, int64_t value);
  /// False if the number cannot be written in this form.
  bool put(const std::string& name, const Rational& value, Form form);
  /// The text in the scene's language.
  const std::string& in(const Texts& texts) const { return texts[static_cast<size_t>(language)]; }
  void word(const std::string& name, const Texts& texts) { words[name] = in(texts); }
  /// A text with its numbers and words. The question has letters for what is taken from another problem.
  std::string filled(std::string_view text, bool is_question = false) const;
  bool holds(const std::string& condition) const;
};

/// What a scene takes from another: the result, and the letter that stands for it in the question.
struct Taken {
  Rational value;
  std::string letter;
};

/// Draws numbers and words. Nothing if they make no problem.
std::optional<Scene> draw_scene(const Kind& kind, int level, Language language, bool longer,
                                const std::optional<Taken>& taken, Random& random);

/// The steps of a scene with their results, as text; adds the results to the values. Nothing if a result cannot be
/// written in its form, is negative, or is too large. Throws Error if an equation is false.
std::optional<std::string> reasoning_of(Scene& scene);

}  // namespace tinyllm::problems
