#include <tinyllm/model/formats/gguf/merges.h>

#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace tinyllm::gguf {
namespace {

using TokenType = GgufTokenizer::TokenType;

constexpr size_t kMaxBytes = 256;  // Tokens are split at every byte, so their size is limited.

struct Pair {
  float score;
  int64_t left_length, right_length;
  std::string_view token;
  size_t cut;
};

}  // namespace

std::vector<std::string> merges_of_scores(const GgufTokenizer& tokenizer) {
  std::unordered_set<std::string_view> ordinary;
  for (size_t i = 0; i < tokenizer.tokens.size(); ++i) {
    if (tokenizer.types[i] != TokenType::normal) continue;
    const std::string& token = tokenizer.tokens[i];
    if (token.size() > kMaxBytes) throw Error("token {} has {} bytes, expected at most {}", i, token.size(), kMaxBytes);
    if (token.find(' ') != std::string::npos) throw Error("token {}, {}, has a blank", i, shortened(token));
    ordinary.insert(token);
  }
  std::vector<Pair> pairs;
  for (size_t i = 0; i < tokenizer.tokens.size(); ++i) {
    const std::string_view token = tokenizer.tokens[i];
    if (tokenizer.types[i] != TokenType::normal) continue;
    for (size_t cut = 1; cut < token.size(); ++cut) {
      const std::string_view left = token.substr(0, cut), right = token.substr(cut);
      if (continues_character(token[cut]) || !ordinary.contains(left) || !ordinary.contains(right)) continue;
      pairs.push_back({tokenizer.scores[i], count_of_characters(left), count_of_characters(right), token, cut});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    return std::tie(a.score, a.left_length, a.right_length) > std::tie(b.score, b.left_length, b.right_length);
  });
  std::vector<std::string> merges;
  merges.reserve(pairs.size());
  for (const Pair& pair : pairs) {
    merges.push_back(std::string(pair.token.substr(0, pair.cut)) + " " + std::string(pair.token.substr(pair.cut)));
  }
  return merges;
}

std::vector<float> scores_of_merges(const GgufTokenizer& tokenizer, const std::vector<std::string>& merges) {
  std::unordered_map<std::string, size_t> ranks;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    std::string token = merges[rank];
    token.erase(token.find(' '), 1);
    ranks.emplace(std::move(token), rank);
  }
  std::vector<float> scores;
  for (size_t i = 0; i < tokenizer.tokens.size(); ++i) {
    const std::string& token = tokenizer.tokens[i];
    const auto found = ranks.find(token);
    size_t rank = found == ranks.end() ? merges.size() : found->second;
    if (tokenizer.types[i] != TokenType::normal || count_of_characters(token) == 1) rank = 0;
    scores.push_back(rank == 0 ? 0 : -static_cast<float>(rank));
  }
  return scores;
}

}  // namespace tinyllm::gguf
