#include <tinyllm/model/text/bpe.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <map>
#include <queue>
#include <string_view>

namespace tinyllm {
namespace {

constexpr int32_t kNone = -1;
// In a segment of up to this length, the best merge is searched for anew each time; a longer one keeps a heap.
constexpr size_t kShort = 48;

// A token of a segment, and what it becomes with the next one.
struct Symbol {
  int32_t id;
  Merge merge;
};

Merge merge_of(const PairTable& pairs, int32_t left, int32_t right) {
  const Merge* merge = pairs.find(left, right);
  return merge != nullptr ? *merge : Merge{};
}

void merge_short(const PairTable& pairs, std::vector<Symbol>& segment) {
  while (segment.size() > 1) {
    const auto best = std::min_element(segment.begin(), segment.end(),
                                       [](const Symbol& a, const Symbol& b) { return a.merge.rank < b.merge.rank; });
    if (best->merge.rank == Merge::kNever) return;
    best->id = best->merge.id;
    const auto next = segment.erase(best + 1);
    best->merge = next != segment.end() ? merge_of(pairs, best->id, next->id) : Merge{};
    if (best != segment.begin()) (best - 1)->merge = merge_of(pairs, (best - 1)->id, best->id);
  }
}

// The same in n log n steps: a heap of merges over a linked list.
void merge_long(const PairTable& pairs, std::vector<Symbol>& segment) {
  struct Candidate {
    uint32_t rank;
    size_t left;
    bool operator<(const Candidate& other) const { return std::tie(rank, left) > std::tie(other.rank, other.left); }
  };
  const size_t n = segment.size();
  std::vector<size_t> previous(n);
  std::vector<size_t> next(n);
  std::priority_queue<Candidate> heap;
  const auto update = [&](size_t left) {
    segment[left].merge = next[left] < n ? merge_of(pairs, segment[left].id, segment[next[left]].id) : Merge{};
    if (segment[left].merge.rank != Merge::kNever) heap.push({segment[left].merge.rank, left});
  };
  for (size_t i = 0; i < n; ++i) {
    previous[i] = i - 1;
    next[i] = i + 1;
    if (segment[i].merge.rank != Merge::kNever) heap.push({segment[i].merge.rank, i});
  }
  while (!heap.empty()) {
    const auto [rank, left] = heap.top();
    heap.pop();
    // Its symbols may have been merged with others since.
    if (segment[left].id == kNone || segment[left].merge.rank != rank) continue;
    const size_t right = next[left];
    segment[left].id = segment[left].merge.id;
    segment[right] = {kNone, {}};
    next[left] = next[right];
    if (next[left] < n) previous[next[left]] = left;
    update(left);
    if (left > 0) update(previous[left]);
  }
  std::erase_if(segment, [](const Symbol& symbol) { return symbol.id == kNone; });
}

// Merges a segment, appends its tokens, and clears it.
void finish(const PairTable& pairs, std::vector<Symbol>& segment, std::vector<int32_t>& tokens) {
  if (segment.size() <= kShort) {
    merge_short(pairs, segment);
  } else {
    merge_long(pairs, segment);
  }
  for (const Symbol& symbol : segment) tokens.push_back(symbol.id);
  segment.clear();
}

}  // namespace

Bpe::Bpe(std::span<const Piece> pieces, std::string_view what) {
  add_characters(pieces);
  add_pairs(pieces, what);
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    if (piece.kind == Kind::byte) byte_id_[static_cast<unsigned char>(piece.text[0])] = static_cast<int32_t>(i);
    if (piece.kind != Kind::whole && piece.kind != Kind::spelled) continue;
    fixed_.push_back({piece.text, static_cast<int32_t>(i), piece.kind});
    starts_fixed_[static_cast<unsigned char>(piece.text[0])] = true;
  }
  std::stable_sort(fixed_.begin(), fixed_.end(),
                   [](const Fixed& a, const Fixed& b) { return a.text.size() > b.text.size(); });
}

void Bpe::add_characters(std::span<const Piece> pieces) {
  std::array<int32_t, 256> empty;
  empty.fill(kNone);
  blocks_ = {empty};
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].kind != Kind::merged) continue;
    size_t end = 0;
    const char32_t character = next_character(pieces[i].text, end);
    if (end != pieces[i].text.size()) continue;
    uint16_t& block = block_of_[character / 256];
    if (block == 0) {
      block = static_cast<uint16_t>(blocks_.size());
      blocks_.push_back(empty);
    }
    blocks_[block][character % 256] = static_cast<int32_t>(i);
  }
}

void Bpe::add_pairs(std::span<const Piece> pieces, std::string_view what) {
  std::map<float, uint32_t, std::greater<>> rank_of;
  std::map<std::string_view, int32_t> id_of_text;  // Not hashed: a stranger's texts may all have one hash.
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].kind != Kind::merged) continue;
    rank_of[pieces[i].score] = 0;
    id_of_text[pieces[i].text] = static_cast<int32_t>(i);
  }
  uint32_t next_rank = 0;
  for (auto& [score, rank] : rank_of) rank = next_rank++;

  // At each border inside a piece: the pair of the two characters, and the pair of the two parts.
  for (const auto& [text, id] : id_of_text) {
    const Merge merge{rank_of[pieces[static_cast<size_t>(id)].score], id};
    size_t at = 0;
    int32_t last = id_of(next_character(text, at));
    bool is_made = at == text.size();
    while (last != kNone && at < text.size()) {
      const auto left = id_of_text.find(text.substr(0, at));
      const auto right = id_of_text.find(text.substr(at));
      const int32_t character = id_of(next_character(text, at));
      if (character != kNone) pairs_.add(last, character, {});
      if (left != id_of_text.end() && right != id_of_text.end()) {
        pairs_.add(left->second, right->second, merge);
        is_made = true;
      }
      last = character;
    }
    if (last == kNone) throw Error("{}: a character of piece {} is not a piece", what, id);
    if (!is_made) throw Error("{}: piece {} is not made of two pieces", what, id);
  }
}

int32_t Bpe::id_of(char32_t character) const { return blocks_[block_of_[character / 256]][character % 256]; }

const Bpe::Fixed* Bpe::fixed_at(std::string_view rest) const {
  if (!starts_fixed_[static_cast<unsigned char>(rest[0])]) return nullptr;
  const auto found =
      std::find_if(fixed_.begin(), fixed_.end(), [&](const Fixed& fixed) { return rest.starts_with(fixed.text); });
  return found != fixed_.end() ? &*found : nullptr;
}

// The text is split into segments that are merged one by one: nothing is merged across two characters that no piece has
// side by side.
void Bpe::encode(std::string_view text, std::vector<int32_t>& tokens) const {
  std::vector<Symbol> segment;
  bool cut = false;
  for (size_t at = 0; at < text.size();) {
    const Fixed* fixed = fixed_at(text.substr(at));
    if (fixed != nullptr && fixed->kind == Kind::whole) {
      finish(pairs_, segment, tokens);
      tokens.push_back(fixed->id);
      at += fixed->text.size();
      continue;
    }
    const size_t from = at;
    const int32_t id = id_of(next_character(text, at));
    const Merge* merge = segment.empty() || cut || id == kNone ? nullptr : pairs_.find(segment.back().id, id);
    if (merge != nullptr) {
      segment.back().merge = *merge;
    } else {
      finish(pairs_, segment, tokens);
    }
    if (id != kNone) {
      segment.push_back({id, {}});
    } else {
      for (size_t i = from; i < at; ++i) tokens.push_back(byte_id_[static_cast<unsigned char>(text[i])]);
    }
    cut = fixed != nullptr;
  }
  finish(pairs_, segment, tokens);
}

}  // namespace tinyllm
