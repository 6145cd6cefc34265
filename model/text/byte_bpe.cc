#include <tinyllm/model/text/byte_bpe.h>

#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr int32_t kNone = -1;

unsigned char byte(char c) { return static_cast<unsigned char>(c); }

// The number of bytes of a UTF-8 character that begins with this byte; 0 if no character begins with it.
size_t character_size(char first) {
  const unsigned char b = byte(first);
  return b < 0x80 ? 1 : b < 0xC2 ? 0 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : b < 0xF5 ? 4 : 0;
}

// The last character of a piece; empty if the piece does not hold all its bytes.
std::string_view last_character(std::string_view piece) {
  size_t at = piece.size() - 1;
  for (int i = 0; i < 3 && at > 0 && continues_character(piece[at]); ++i) --at;
  return character_size(piece[at]) == piece.size() - at ? piece.substr(at) : std::string_view{};
}

std::string_view first_character(std::string_view piece) {
  const size_t size = character_size(piece[0]);
  return size <= piece.size() ? piece.substr(0, size) : std::string_view{};
}

}  // namespace

ByteBpe::ByteBpe(std::span<const std::string> pieces, std::span<const Bpe::ListedMerge> merges, const Options& options)
    : options_(options),
      characters_(Character{}),
      torn_rank_(size_t{256} * 256, Merge::kNever),
      borders_(2 * merges.size()) {
  byte_id_.fill(kNone);
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].size() == 1) byte_id_[byte(pieces[i][0])] = static_cast<int32_t>(i);
  }
  add_merges(pieces, merges);
  add_characters(pieces, merges);
  for (const auto& [left, right, merged] : merges) {
    add_borders(pieces[static_cast<size_t>(left)], pieces[static_cast<size_t>(right)]);
  }
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const std::string& piece = pieces[i];
    if (piece.empty() || piece.size() > WordTable::kLongest || valid_utf8(piece) != piece.size()) continue;
    tokens.clear();
    if (!options.ignore_merges) merge_word(piece, tokens);
    const auto id = static_cast<int32_t>(i);
    if (options.ignore_merges || tokens == std::vector{id}) words_.add(piece, id);
  }
}

void ByteBpe::add_merges(std::span<const std::string> pieces, std::span<const Bpe::ListedMerge> merges) {
  uint32_t rank = 0;
  for (const auto& [left, right, merged] : merges) {
    pairs_.add(left, right, {rank, merged});
    const std::string& before = pieces[static_cast<size_t>(left)];
    const std::string& after = pieces[static_cast<size_t>(right)];
    if (!before.empty() && !after.empty() && !continues_character(after[0]) &&
        (last_character(before).empty() || first_character(after).empty())) {
      uint32_t& best = torn_rank_[256 * size_t{byte(before.back())} + byte(after[0])];
      best = std::min(best, rank);
    }
    ++rank;
  }
}

// Notes which symbols a merge can join at its border. Words start as bytes and characters, so both are noted.
void ByteBpe::add_borders(std::string_view left, std::string_view right) {
  if (left.empty() || right.empty()) return;
  const auto character_id = [&](std::string_view character) {
    if (character.size() < 2 || valid_utf8(character) != character.size()) return kNone;
    size_t at = 0;
    return characters_[next_character(character, at)].id;
  };
  const int32_t lasts[] = {byte_id_[byte(left.back())], character_id(last_character(left))};
  const int32_t firsts[] = {byte_id_[byte(right[0])], character_id(first_character(right))};
  for (const int32_t last : lasts) {
    for (const int32_t first : firsts) {
      if (last != kNone && first != kNone) borders_.add(last, first);
    }
  }
}

void ByteBpe::add_characters(std::span<const std::string> pieces, std::span<const Bpe::ListedMerge> merges) {
  std::vector<uint32_t> first_use(pieces.size(), Merge::kNever);  // By token: the best merge that takes it.
  for (uint32_t rank = 0; rank < merges.size(); ++rank) {
    for (const int32_t id : {merges[rank].left, merges[rank].right}) {
      first_use[static_cast<size_t>(id)] = std::min(first_use[static_cast<size_t>(id)], rank);
    }
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    const std::string& piece = pieces[i];
    if (piece.size() < 2 || character_size(piece[0]) != piece.size() || valid_utf8(piece) != piece.size()) continue;
    std::vector<int32_t> ids;
    for (const char b : piece) ids.push_back(byte_id_[byte(b)]);
    if (std::find(ids.begin(), ids.end(), kNone) != ids.end()) continue;
    // The same merges as in merge_segment, but the worst rank is recorded.
    uint32_t last_rank = 0;
    while (ids.size() > 1) {
      size_t best = 0;
      Merge merge;
      for (size_t left = 0; left + 1 < ids.size(); ++left) {
        const Merge* found = pairs_.find(ids[left], ids[left + 1]);
        if (found == nullptr || found->rank >= merge.rank) continue;
        best = left;
        merge = *found;
      }
      if (merge.rank == Merge::kNever) break;
      last_rank = std::max(last_rank, merge.rank);
      ids[best] = merge.id;
      ids.erase(ids.begin() + static_cast<ptrdiff_t>(best) + 1);
    }
    size_t at = 0;
    // The table is only valid if every merge that takes this token ranks after the merges that build it.
    if (ids == std::vector{static_cast<int32_t>(i)} && last_rank < first_use[i]) {
      characters_.set(next_character(piece, at), {static_cast<int32_t>(i), last_rank});
    }
  }
}

// Whether the character's bytes become one token before a neighbour could take some of them: the merges within the
// character must all rank before the merges that tear it apart.
bool ByteBpe::goes_first(const Character& character, std::string_view word, size_t begin, size_t end) const {
  const auto is_before = [&](size_t border) {
    return character.last_rank < torn_rank_[256 * size_t{byte(word[border - 1])} + byte(word[border])];
  };
  return character.id != kNone && (begin == 0 || is_before(begin)) && (end == word.size() || is_before(end));
}

void ByteBpe::encode_word(std::string_view word, std::vector<int32_t>& tokens) const {
  const int32_t whole = words_.find(word);
  if (whole != WordTable::kNone) {
    tokens.push_back(whole);
  } else {
    merge_word(word, tokens);
  }
}

void ByteBpe::merge_word(std::string_view word, std::vector<int32_t>& tokens) const {
  thread_local std::vector<Symbol> segment;
  segment.clear();
  bool after_unknown = false;
  const auto finish = [&] {
    merge_segment(pairs_, segment);
    for (const Symbol& symbol : segment) tokens.push_back(symbol.id);
    segment.clear();
  };
  const auto append = [&](int32_t id) {
    if (id == kNone) {
      if (options_.unknown == kNone) return;
      finish();
      if (!(options_.fuse_unknown && after_unknown)) tokens.push_back(options_.unknown);
      after_unknown = true;
      return;
    }
    after_unknown = false;
    if (segment.empty() || !borders_.has(segment.back().id, id)) {
      finish();
    } else if (const Merge* merge = pairs_.find(segment.back().id, id)) {
      segment.back().merge = *merge;
    }
    segment.push_back({id, {}});
  };
  for (size_t at = 0; at < word.size();) {
    const size_t from = at;
    const char32_t c = next_character(word, at);
    if (c >= 0x80 && goes_first(characters_[c], word, from, at)) {
      append(characters_[c].id);
      continue;
    }
    for (size_t i = from; i < at; ++i) append(byte_id_[byte(word[i])]);
  }
  finish();
}

}  // namespace tinyllm
