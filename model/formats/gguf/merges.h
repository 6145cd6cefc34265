#pragma once

#include <tinyllm/model/formats/gguf/tokenizer.h>

#include <string>
#include <vector>

// There are two ways to specify the order in which byte pair encoding joins tokens. SentencePiece gives each token a
// score, and joins the pair whose result has the highest one. Others list the pairs ("a b"), the first to join first.
// These functions convert between the two.
namespace tinyllm::gguf {

/// Every pair of normal tokens whose result is a normal token, sorted by descending score of the result, then by
/// descending length in characters of the first token, then of the second. Throws Error on a normal token of more than
/// 256 bytes or with a blank.
std::vector<std::string> merges_of_scores(const GgufTokenizer& tokenizer);

/// The score of each token: minus the rank of the first pair that gives it. Single characters have 0. A token that no
/// pair gives is below all others.
std::vector<float> scores_of_merges(const GgufTokenizer& tokenizer, const std::vector<std::string>& merges);

}  // namespace tinyllm::gguf
