#include <tinyllm/model/text/bpe.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <map>
#include <string_view>

namespace tinyllm {
namespace {

constexpr int32_t kNone = -1;

char32_t first_character(std::string_view text) {
  size_t at = 0;
  return next_character(text, at);
}

char32_t last_character(std::string_view text) {
  size_t at = text.size() - 1;
  while (continues_character(text[at])) --at;
  return next_character(text, at);
}

}  // namespace

Bpe::Bpe(std::span<const Piece> pieces, const Options& options, std::string_view what)
    : options_(options), id_of_(kNone) {
  add_single(pieces);
  if (!options.refuse_unmade) add_nameless_characters(pieces);
  add_pairs(pieces, what);
}

Bpe::Bpe(std::span<const Piece> pieces, std::span<const ListedMerge> merges, const Options& options)
    : options_(options), id_of_(kNone), borders_(merges.size()) {
  add_single(pieces);
  uint32_t rank = 0;
  for (const auto& [left, right, merged] : merges) {
    pairs_.add(left, right, {rank++, merged});
    // Two characters can only be joined if some merge has one at the end of its left side and the other at the start of
    // its right side.
    const int32_t last = id_of_[last_character(pieces[static_cast<size_t>(left)].text)];
    const int32_t first = id_of_[first_character(pieces[static_cast<size_t>(right)].text)];
    if (last != kNone && first != kNone) borders_.add(last, first);
  }
}

void Bpe::add_single(std::span<const Piece> pieces) {
  first_nameless_ = static_cast<int32_t>(pieces.size());
  byte_id_.fill(kNone);
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto& [text, score, kind] = pieces[i];
    const auto id = static_cast<int32_t>(i);
    if (kind == Kind::byte) byte_id_[static_cast<unsigned char>(text[0])] = id;
    if (kind == Kind::whole || kind == Kind::spelled) {
      find_fixed_.add(text, static_cast<int32_t>(fixed_.size()));
      fixed_.push_back({id, kind, text.size()});
      starts_fixed_[static_cast<unsigned char>(text[0])] = true;
    }
    if (kind != Kind::merged) continue;
    size_t end = 0;
    const char32_t character = next_character(text, end);
    if (end == text.size()) id_of_.set(character, id);
  }
}

void Bpe::add_nameless_characters(std::span<const Piece> pieces) {
  for (const Piece& piece : pieces) {
    if (piece.kind != Kind::merged) continue;
    for (size_t at = 0; at < piece.text.size();) {
      const size_t from = at;
      const char32_t character = next_character(piece.text, at);
      if (id_of_[character] != kNone) continue;
      id_of_.set(character, first_nameless_ + static_cast<int32_t>(nameless_.size()));
      nameless_.push_back(piece.text.substr(from, at - from));
    }
  }
}

void Bpe::add_pairs(std::span<const Piece> pieces, std::string_view what) {
  std::map<float, uint32_t, std::greater<>> rank_of;
  std::map<std::string_view, int32_t> id_of_text;  // Not hashed: a hostile file could give all texts one hash.
  for (size_t i = 0; i < nameless_.size(); ++i) {
    id_of_text[nameless_[i]] = first_nameless_ + static_cast<int32_t>(i);
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].kind != Kind::merged) continue;
    rank_of[pieces[i].score] = 0;
    id_of_text[pieces[i].text] = static_cast<int32_t>(i);
  }
  uint32_t next_rank = 0;
  for (auto& [score, rank] : rank_of) rank = next_rank++;

  // Each piece is cut at every border between characters. The two characters at the border go into the filter. If both
  // parts are pieces, they get a merge.
  size_t borders = 0;
  for (const auto& [text, id] : id_of_text) borders += text.size();
  borders_ = BorderFilter(borders);
  for (const auto& [text, id] : id_of_text) {
    if (id >= first_nameless_) continue;
    const Merge merge{rank_of[pieces[static_cast<size_t>(id)].score], id};
    size_t at = 0;
    int32_t last = id_of_[next_character(text, at)];
    bool is_made = at == text.size();
    while (last != kNone && at < text.size()) {
      const auto left = id_of_text.find(text.substr(0, at));
      const auto right = id_of_text.find(text.substr(at));
      const int32_t character = id_of_[next_character(text, at)];
      if (character != kNone) borders_.add(last, character);
      if (left != id_of_text.end() && right != id_of_text.end()) {
        pairs_.add(left->second, right->second, merge);
        is_made = true;
      }
      last = character;
    }
    if (!options_.refuse_unmade) continue;
    if (last == kNone) throw Error("{}: a character of piece {} is not a piece", what, id);
    if (!is_made) throw Error("{}: piece {} is not made of two pieces", what, id);
  }
}

const Bpe::Fixed* Bpe::fixed_at(std::string_view rest) const {
  if (!starts_fixed_[static_cast<unsigned char>(rest[0])]) return nullptr;
  const TextTrie::Found found = find_fixed_.longest(rest);
  return found.length > 0 ? &fixed_[static_cast<size_t>(found.value)] : nullptr;
}

void Bpe::append_unknown(std::string_view character, Output& output) const {
  const auto byte_of = [&](char byte) { return byte_id_[static_cast<unsigned char>(byte)]; };
  if (std::none_of(character.begin(), character.end(), [&](char byte) { return byte_of(byte) == kNone; })) {
    for (const char byte : character) output.tokens.push_back(byte_of(byte));
    output.after_unknown = false;
    return;
  }
  if (options_.unknown == kNone || (options_.fuse_unknown && output.after_unknown)) return;
  output.tokens.push_back(options_.unknown);
  output.after_unknown = true;
}

// Merges a segment, appends its tokens, and clears it.
void Bpe::finish(std::vector<Symbol>& segment, Output& output) const {
  if (segment.empty()) return;
  if (segment.size() > 1) merge_segment(pairs_, segment);
  for (const Symbol& symbol : segment) {
    if (symbol.id >= first_nameless_) {
      append_unknown(nameless_[static_cast<size_t>(symbol.id - first_nameless_)], output);
    } else {
      output.tokens.push_back(symbol.id);
      output.after_unknown = false;
    }
  }
  segment.clear();
}

// Cuts the text into segments and merges each by itself. It cuts between two characters that no merge can join, so the
// tokens are the same.
void Bpe::encode(std::string_view text, bool with_markers, std::vector<int32_t>& tokens) const {
  Output output{tokens};
  std::vector<Symbol> segment;
  bool cut = false;
  for (size_t at = 0; at < text.size();) {
    const Fixed* fixed = fixed_at(text.substr(at));
    if (fixed != nullptr && (with_markers || fixed->kind == Kind::whole)) {
      finish(segment, output);
      tokens.push_back(fixed->id);
      output.after_unknown = false;
      at += fixed->size;
      continue;
    }
    const size_t from = at;
    const int32_t id = id_of_[next_character(text, at)];
    if (segment.empty() || cut || id == kNone || !borders_.has(segment.back().id, id)) {
      finish(segment, output);
    } else if (const Merge* merge = pairs_.find(segment.back().id, id)) {
      segment.back().merge = *merge;
    }
    if (id != kNone) {
      segment.push_back({id, {}});
    } else {
      append_unknown(text.substr(from, at - from), output);
    }
    cut = fixed != nullptr;
  }
  finish(segment, output);
}

}  // namespace tinyllm
