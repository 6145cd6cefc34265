#include <tinyllm/model/text/spm/unigram.h>

#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <limits>

namespace tinyllm {
namespace {

// As in SentencePiece: an unknown character scores this much less than the worst piece.
constexpr float kUnknownPenalty = 10;
// As in SentencePiece: every fixed piece loses this much, so that one long piece beats two short ones.
constexpr double kFixedPenalty = 0.1;

}  // namespace

Unigram::Unigram(std::span<const Piece> pieces, int32_t unknown)
    : unknown_(unknown), best_score_(std::numeric_limits<float>::min()) {
  float worst = std::numeric_limits<float>::max();
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto& [text, score, kind] = pieces[i];
    scores_.push_back(score);
    is_fixed_.push_back(kind == Piece::Kind::fixed);
    if (kind == Piece::Kind::none) continue;
    trie_.add(text, static_cast<int32_t>(i));
    if (kind == Piece::Kind::fixed) continue;
    worst = std::min(worst, score);
    best_score_ = std::max(best_score_, score);
  }
  unknown_score_ = worst - kUnknownPenalty;
}

std::vector<Unigram::Found> Unigram::split(std::string_view text, const TextTrie& fixed) const {
  struct Best {  // The last piece of the best way to split the text up to here.
    int32_t token = 0;
    float score = 0;
    uint32_t size = 0;  // 0: no way is known.
  };
  std::vector<Best> best(text.size() + 1);
  // Sums are rounded as in SentencePiece, so that ties are decided alike: double for pieces, float for unknown
  // characters.
  const auto offer = [&](size_t begin, size_t end, int32_t token, auto score) {
    const auto sum = score + best[begin].score;
    Best& there = best[end];
    if (there.size != 0 && sum <= there.score) return;
    there = {token, static_cast<float>(sum), static_cast<uint32_t>(end - begin)};
  };
  for (size_t at = 0; at < text.size();) {
    size_t next = at;
    next_character(text, next);
    bool has_single = false;
    trie_.prefixes(text.substr(at), [&](size_t length, int32_t token) {
      const bool is_fixed = is_fixed_[static_cast<size_t>(token)];
      if (is_fixed && !fixed.contains(text.substr(at, length))) return;
      const double score = is_fixed ? static_cast<double>(static_cast<float>(length) * best_score_) - kFixedPenalty
                                    : static_cast<double>(scores_[static_cast<size_t>(token)]);
      offer(at, at + length, token, score);
      has_single = has_single || at + length == next;
    });
    if (!has_single) offer(at, next, unknown_, unknown_score_);
    at = next;
  }
  std::vector<Found> found;
  for (size_t end = text.size(); end > 0;) {
    const Best& last = best[end];
    end -= last.size;
    found.push_back({text.substr(end, last.size), last.token});
  }
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace tinyllm
