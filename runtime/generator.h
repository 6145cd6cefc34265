#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/tensor/program.h>

#include <functional>

namespace tinyllm {

/// A model answering: prompts are read in chunks into a cache of keys and values, then every step gives one token to
/// each row. Greedy: the likeliest token, the lowest of equals.
class Generator {
 public:
  struct Options {
    int64_t rows = 1;  ///< Prompts answered together.
    int threads = hardware_threads();
  };
  /// `model` must outlive the generator.
  Generator(const Model& model, const Options& options);
  ~Generator();

  /// Called with each new token of a row before the next is computed; return false to end the row there.
  using OnToken = std::function<bool(int64_t row, int32_t token)>;

  /// Continues up to `rows` prompts, each until an end token (not part of the answer), until `max_tokens`, or until the
  /// model's context is full. Throws Error on an empty prompt, or one that leaves no room in the context.
  std::vector<std::vector<int32_t>> generate(const std::vector<std::vector<int32_t>>& prompts, int64_t max_tokens,
                                             const OnToken& on_token = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Joins the bytes of tokens into text that never ends within a UTF-8 character.
class TextStream {
 public:
  explicit TextStream(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// What has become whole by this token.
  std::string add(int32_t token);
  /// What is left, perhaps a broken character.
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  std::string pending_;
};

}  // namespace tinyllm
