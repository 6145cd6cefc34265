#include <tinyllm/runtime/constraint/closing_tokens.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <array>

namespace tinyllm {
namespace {

// Of a longer closing each byte counts as a token.
constexpr int64_t kMaxClosing = 4096;

// All bytes, those that most often end something first.
const std::array<unsigned char, 256>& order_of_bytes() {
  static const auto order = [] {
    std::array<unsigned char, 256> bytes{};
    constexpr std::string_view kFirst = "\"}]:,0";
    auto next = std::copy(kFirst.begin(), kFirst.end(), bytes.begin());
    for (int byte = 0; byte < 256; ++byte) {
      if (kFirst.find(static_cast<char>(byte)) == std::string_view::npos) *next++ = static_cast<unsigned char>(byte);
    }
    return bytes;
  }();
  return order;
}

}  // namespace

std::string key_of(const JsonState& state) {
  std::string key(reinterpret_cast<const char*>(state.frames.data()), state.frames.size() * sizeof(JsonFrame));
  key.append(reinterpret_cast<const char*>(state.ends.data()), state.ends.size() * sizeof(size_t));
  return key;
}

int64_t ClosingTokens::count(const JsonState& state) {
  const int64_t bytes = matcher_.shortest(state);
  if (bytes <= 1 || bytes > kMaxClosing) return bytes;
  const std::string key = key_of(state);
  const std::lock_guard lock(mutex_);
  if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
  if (kept_bytes_ > kMaxKeptBytes) {
    kept_.clear();
    kept_bytes_ = 0;
  }
  count_all(closing_of(state));
  return kept_.at(key);
}

ClosingTokens::Closing ClosingTokens::closing_of(const JsonState& state) const {
  Closing closing{.text = {}, .states = {state}};
  for (int64_t left = matcher_.shortest(state); left > 0; --left) {
    JsonState next;
    const auto byte = std::ranges::find_if(order_of_bytes(), [&](unsigned char candidate) {
      return matcher_.read(closing.states.back(), candidate, next) && matcher_.shortest(next) == left - 1;
    });
    if (byte == order_of_bytes().end()) throw Error("constraint: no byte makes the shortest closing shorter");
    closing.text += static_cast<char>(*byte);
    closing.states.push_back(std::move(next));
  }
  return closing;
}

// Visits the lengths of the tokens that a closing may go on with.
template <class Visit>
void ClosingTokens::visit_tokens(const Closing& closing, size_t begin, Visit visit) const {
  const std::string_view rest = std::string_view(closing.text).substr(begin);
  const TokenTrie& trie = vocabulary_.text();
  const std::span<const TokenTrie::Node> nodes = trie.nodes();
  size_t depth = 0;
  for (size_t i = 0; i < nodes.size() && depth < rest.size() && nodes[i].depth == depth + 1;) {
    if (nodes[i].byte != static_cast<unsigned char>(rest[depth])) {
      i = nodes[i].end;
      continue;
    }
    ++depth;
    if (!trie.tokens(i).empty()) visit(depth);
    ++i;
  }
  for (const int32_t token : vocabulary_.markers()) {
    const std::string& bytes = vocabulary_.bytes(token);
    if (!rest.starts_with(bytes)) continue;
    const auto states = std::span(closing.states).subspan(begin + 1, bytes.size());
    if (std::ranges::all_of(states, [&](const JsonState& state) { return matcher_.is_in_form(state); })) {
      visit(bytes.size());
    }
  }
}

// Of the closing and of all its ends.
void ClosingTokens::count_all(const Closing& closing) {
  std::vector<int64_t> counts(closing.text.size() + 1);
  for (size_t i = closing.text.size(); i-- > 0;) {
    counts[i] = counts[i + 1] + 1;  // Every byte is a token.
    visit_tokens(closing, i, [&](size_t length) { counts[i] = std::min(counts[i], 1 + counts[i + length]); });
    std::string key = key_of(closing.states[i]);
    const size_t bytes = 2 * key.size() + 64;
    if (kept_.emplace(std::move(key), counts[i]).second) kept_bytes_ += bytes;
  }
}

}  // namespace tinyllm
