#pragma once

#include <tinyllm/model/text/message.h>
#include <tinyllm/train/problems/problem.h>

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace tinyllm::problems {

/// A problem of a source, such as a kind or a real question; nothing if it has none for this index. A function of its
/// arguments.
using Draw = std::function<std::optional<Problem>(size_t source, uint64_t index)>;

/// Draws from all sources in turn, with rising indices, and calls `take` with `count` problems, no two of which have
/// the same question. Ends early when the last 1000 draws, and a draw from each source, found nothing new. Returns how
/// many problems there were.
int64_t draw_in_turn(size_t sources, int64_t count, const Draw& draw, const std::function<void(Problem problem)>& take);

/// `count` made-up problems, of all that is wanted in turn, no two with the same question; fewer if no more are found.
std::vector<Problem> make_problems(std::span<const Wanted> wanted, uint64_t seed, int64_t count);

/// Problems as conversations in the reasoning style, of one, two or three turns: problems that follow one another and
/// have one system prompt.
std::vector<Messages> as_conversations(std::span<const Problem> problems);

}  // namespace tinyllm::problems
