#include <tinyllm/runtime/constraint/token_masks.h>

#include <algorithm>

namespace tinyllm {
std::vector<bool> TokenMask::bits(size_t size) const {
  std::vector<bool> bits = base != nullptr ? *base : std::vector<bool>(size);
  for (const int32_t token : added) bits[static_cast<size_t>(token)] = true;
  for (const int32_t token : removed) bits[static_cast<size_t>(token)] = false;
  return bits;
}

std::shared_ptr<const TokenMask> TokenMasks::mask(const JsonState& state) {
  std::string key = key_of(state);
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(key); found != index_.end()) {
    kept_.splice(kept_.begin(), kept_, found->second);
    return found->second->mask;
  }
  kept_.push_front({std::move(key), std::make_shared<const TokenMask>(compute(state, JsonGrammar::kNever))});
  index_.emplace(kept_.front().state, kept_.begin());
  kept_bytes_ += kept_.front().bytes();
  std::shared_ptr<const TokenMask> mask = kept_.front().mask;
  while (kept_bytes_ > kMaxKeptBytes) {
    kept_bytes_ -= kept_.back().bytes();
    index_.erase(kept_.back().state);
    kept_.pop_back();
  }
  return mask;
}

TokenMask TokenMasks::closing_mask(const JsonState& state, int64_t most) { return compute(state, most); }

// Within a string, all plain tokens of the vocabulary are alike: allows them, or none of them. Returns whether the
// others alone are left to try.
bool TokenMasks::decides_plain(const JsonState& state, int64_t most, TokenMask& mask) {
  // Of several ways to read the text, one within a string allows all that others do if it has room for every token.
  int64_t room = -1, closing = 0;
  for (size_t i = 0; i < state.stacks(); ++i) {
    const int64_t here = matcher_.string_room(state.stack(i));
    if (here <= room) continue;
    room = here;
    closing = matcher_.shortest(state.stack(i));
  }
  const bool has_room =
      room >= static_cast<int64_t>(ConstraintVocabulary::kMaxPlain) || (room >= 0 && state.stacks() == 1);
  if (!has_room) return false;
  // A plain token never makes the closing longer; where the string may end here, it does not change it.
  if (closing > most) {
    if (state.stacks() > 1 || !matcher_.may_end_string(state.stack(0))) return false;
    if (closing_.count(state) > most) return true;
  }
  mask.base = &vocabulary_->plain(static_cast<size_t>(room));
  mask.longest_closing = closing;
  return true;
}

TokenMask TokenMasks::compute(const JsonState& state, int64_t most) {
  TokenMask mask;
  if (decides_plain(state, most, mask)) {
    walk(vocabulary_->not_plain(), state, most, mask);
  } else {
    walk(vocabulary_->text(), state, most, mask);
    if (matcher_.is_in_form(state)) try_markers(state, most, mask);
    if (mask.added.size() * 2 > vocabulary_->size()) share_all(mask);
  }
  if (matcher_.is_complete(state)) {
    const std::span<const int32_t> ends = vocabulary_->ends();
    mask.added.insert(mask.added.end(), ends.begin(), ends.end());
  }
  return mask;
}

// Makes a mask of nearly all tokens small.
void TokenMasks::share_all(TokenMask& mask) const {
  mask.base = &vocabulary_->all();
  std::vector<bool> missing = vocabulary_->all();
  for (const int32_t token : mask.added) missing[static_cast<size_t>(token)] = false;
  mask.added.clear();
  for (size_t i = 0; i < missing.size(); ++i) {
    if (missing[i]) mask.removed.push_back(static_cast<int32_t>(i));
  }
}

void TokenMasks::walk(const TokenTrie& trie, const JsonState& state, int64_t most, TokenMask& mask) {
  std::vector<JsonState> states(TokenTrie::kMaxTokenBytes + 1);  // After so many bytes of the token.
  states[0] = state;
  const std::span<const TokenTrie::Node> nodes = trie.nodes();
  for (size_t i = 0; i < nodes.size();) {
    const size_t depth = nodes[i].depth;
    if (!matcher_.read(states[depth - 1], nodes[i].byte, states[depth])) {
      i = nodes[i].end;
      continue;
    }
    const std::span<const int32_t> tokens = trie.tokens(i++);
    if (tokens.empty()) continue;
    const int64_t closing = matcher_.shortest(states[depth]);
    if (closing > most && closing_.count(states[depth]) > most) continue;
    mask.longest_closing = std::max(mask.longest_closing, closing);
    mask.added.insert(mask.added.end(), tokens.begin(), tokens.end());
  }
}

// Within JSON, no marker is text. In the form around it, it may be what the model has learned to write.
void TokenMasks::try_markers(const JsonState& state, int64_t most, TokenMask& mask) {
  for (const int32_t token : vocabulary_->markers()) {
    JsonState now = state, next;
    bool fits = true;
    for (const char byte : vocabulary_->bytes(token)) {
      fits = fits && matcher_.read(now, static_cast<unsigned char>(byte), next) && matcher_.is_in_form(next);
      std::swap(now, next);
    }
    const int64_t closing = fits ? matcher_.shortest(now) : JsonGrammar::kNever;
    if (closing >= JsonGrammar::kNever || (closing > most && closing_.count(now) > most)) continue;
    mask.longest_closing = std::max(mask.longest_closing, closing);
    mask.added.push_back(token);
  }
}

}  // namespace tinyllm
