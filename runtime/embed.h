#pragma once

#include <tinyllm/runtime/session.h>

#include <span>
#include <vector>

namespace tinyllm {

/// The embedding of a text: the mean of its tokens' hidden states after the last norm, scaled to length 1. Sums are in
/// double and in the order of the tokens.
class Embedding {
 public:
  void add(std::span<const float> hidden);
  /// Zeros if all hidden states were; empty if there were none.
  std::vector<float> unit_vector() const;

 private:
  std::vector<double> sum_;
};

/// The embeddings of texts, given as tokens, computed together. Each depends on its own text alone, to the bit. Throws
/// Error on an empty text, and on one that is longer than the session's context.
std::vector<std::vector<float>> embed(Session& session, std::span<const std::vector<int32_t>> texts);

}  // namespace tinyllm
