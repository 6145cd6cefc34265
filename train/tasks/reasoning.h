#pragma once

#include <tinyllm/model/text/reasoning.h>
#include <tinyllm/runtime/generate.h>
#include <tinyllm/tensor/base/progress.h>
#include <tinyllm/train/data/packed_dataset.h>
#include <tinyllm/train/tasks/problems.h>

namespace tinyllm {

/// Problems as conversations, of one, two or three turns: problems that follow one another and have one system prompt.
std::vector<Messages> as_conversations(const std::vector<Problem>& problems);

/// Conversations as samples of the model's chat template.
std::vector<Sample> chat_samples(const Model& model, const std::vector<Messages>& conversations);

/// A problem and what a model said to it.
struct Answered {
  Problem problem;
  ParsedAnswer said;
  bool is_right;  ///< The final answer equals the computed one, letter for letter.
};
/// Asks a session's model every problem, with as many at once as the session's cache has room for. Answers are in the
/// order of the problems. `on_progress` counts answers; when it returns false, no more are asked.
std::vector<Answered> answer(Session& session, const std::vector<Problem>& problems,
                             const OnProgress& on_progress = {});

}  // namespace tinyllm
