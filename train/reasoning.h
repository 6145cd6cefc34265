#pragma once

#include <tinyllm/runtime/generator.h>
#include <tinyllm/train/dataset.h>
#include <tinyllm/train/problems.h>

namespace tinyllm {

/// Problems as conversations, of one, two or three turns: problems that follow one another and have one system prompt.
std::vector<Conversation> as_conversations(const std::vector<Problem>& problems);

/// Conversations as samples of the chat template.
std::vector<Sample> chat_samples(const Tokenizer& tokenizer, const std::vector<Conversation>& conversations);

/// A problem and what a model said to it.
struct Answered {
  Problem problem;
  Reasoned said;
  bool is_right;  ///< The final answer is the computed one, letter for letter.
};
/// Asks a model every problem, `rows` at once, at most as many as `generator` takes. `on_done` is called with the
/// number answered so far; it returns false to ask no more.
std::vector<Answered> answer(Generator& generator, int64_t rows, const Model& model,
                             const std::vector<Problem>& problems, const std::function<bool(size_t)>& on_done = {});

}  // namespace tinyllm
