#pragma once

#include <tinyllm/model/formats/gguf/tokenizer.h>

#include <string>
#include <vector>

// Two ways to say the order in which byte pair encoding joins tokens: SentencePiece gives each token a score, and joins
// the pair whose joint token has the highest one; others list the pairs ("a b"), first to last.
namespace tinyllm::gguf {

/// Every pair of ordinary tokens whose joint token is one, by falling score; among equals by falling length of the
/// first token in characters, then of the second. Throws Error on an ordinary token of more than 256 bytes or with a
/// blank.
std::vector<std::string> merges_of_scores(const GgufTokenizer& tokenizer);

/// Minus the rank of the first pair that gives a token; 0 for one character, and below all ranks for what no pair
/// gives.
std::vector<float> scores_of_merges(const GgufTokenizer& tokenizer, const std::vector<std::string>& merges);

}  // namespace tinyllm::gguf
