#pragma once

#include <tinyllm/runtime/request.h>

#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Makes constraints that write the results of equations: once an answer has an expression with an operator and "=",
/// only the right result can follow, in the form that the model prefers: a whole number, decimals of at most 6 places,
/// a fraction in lowest terms, a percentage if the expression has one, or a quotient with its remainder (3余2). Nothing
/// else is restricted: not 10/3≈, nor what `equations_in` does not compute. Any number of threads may ask at a time; a
/// constraint belongs to one request, and depends on its answer alone: on what the prompt has begun and its tokens.
class CalculatorConstraints {
 public:
  /// For the tokens of a model. `vocab_size` is its number of logits.
  CalculatorConstraints(const Tokenizer& tokenizer, int64_t vocab_size);
  ~CalculatorConstraints();
  CalculatorConstraints(const CalculatorConstraints&) = delete;
  CalculatorConstraints& operator=(const CalculatorConstraints&) = delete;

  /// For one request; may outlive this object. `begun`: what of the answer the prompt already has.
  Constraint make(std::string_view begun = {}) const;

  /// For each token of an answer, whether it is part of a result that the calculator wrote. Such tokens are not the
  /// model's own: to train on them or to weigh an answer by them is to judge the calculator. `begun` as for `make`.
  std::vector<bool> written(std::span<const int32_t> answer, std::string_view begun = {}) const;

 private:
  struct Vocabulary;
  class Restriction;
  std::shared_ptr<const Vocabulary> vocabulary_;
};

}  // namespace tinyllm
