#pragma once

#include <tinyllm/runtime/constraint/answer_form.h>
#include <tinyllm/runtime/request.h>

#include <cstddef>
#include <memory>

namespace tinyllm {

/// Makes constraints that keep an answer to a form. Compiled forms are kept, at most 64 and 32 MiB of them, so that
/// requests with equal ones share them. Any number of threads may ask at a time; a constraint belongs to one request.
class JsonConstraints {
 public:
  /// For the tokens of a model, which are looked at when the first constraint is made. The tokenizer must outlive it.
  JsonConstraints(const Tokenizer& tokenizer, int64_t vocab_size);
  ~JsonConstraints();
  JsonConstraints(const JsonConstraints&) = delete;
  JsonConstraints& operator=(const JsonConstraints&) = delete;

  /// Allows only tokens after which the answer can still be completed in its form: when it is complete, end tokens
  /// alone. Special tokens are allowed only where the form has their text. If `close_within` is more than 0, the answer
  /// is complete after at most so many tokens; else `max_tokens` may cut it.
  ///
  /// Throws Error as `compile_form` (json_schema.h) does, when `close_within` tokens are too few, and when the
  /// vocabulary lacks a byte that JSON may need.
  Constraint make(const AnswerForm& form, int64_t close_within = 0) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
