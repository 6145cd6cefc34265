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
  const std::lock_guard lock(mutex_);
  if (kept_bytes_ > kMaxKeptBytes) forget();
  return follow(state)->count;
}

void ClosingTokens::forget() {
  kept_.clear();
  kept_bytes_ = 0;
}

const ClosingTokens::Step* ClosingTokens::follow(const JsonState& state) {
  std::vector<Step*> added;
  const Step* first = nullptr;
  try {
    first = add_steps(state, added);
  } catch (...) {  // Half a closing is of no use.
    forget();
    throw;
  }
  // Each is counted from those after it.
  for (auto step = added.rbegin(); step != added.rend(); ++step) (*step)->count = fewest_tokens(**step);
  return first;
}

// Walks along the closing up to a state that is known.
const ClosingTokens::Step* ClosingTokens::add_steps(JsonState state, std::vector<Step*>& added) {
  const Step* first = nullptr;
  JsonState next;
  for (int64_t left = matcher_.shortest(state);; --left) {
    const auto [found, is_new] = kept_.try_emplace(key_of(state));
    Step& step = found->second;
    if (first == nullptr) first = &step;
    if (!added.empty()) added.back()->next = &step;
    if (!is_new) return first;
    kept_bytes_ += found->first.size() + sizeof(Step) + 64;
    step.is_in_form = matcher_.is_in_form(state);
    if (left == 0) return first;
    const auto byte = std::ranges::find_if(order_of_bytes(), [&](unsigned char candidate) {
      ++steps_;
      return matcher_.read(state, candidate, next) && matcher_.shortest(next) == left - 1;
    });
    if (byte == order_of_bytes().end()) throw Error("constraint: no byte makes the shortest closing shorter");
    step.byte = *byte;
    added.push_back(&step);
    std::swap(state, next);
  }
}

// With each of the tokens that the closing may go on with. Every byte is one.
int64_t ClosingTokens::fewest_tokens(const Step& first) const {
  int64_t fewest = 1 + first.next->count;
  const std::span<const TokenTrie::Node> nodes = vocabulary_.text().nodes();
  const Step* at = &first;
  size_t depth = 0;
  for (size_t i = 0; i < nodes.size() && at->next != nullptr && nodes[i].depth == depth + 1;) {
    if (nodes[i].byte != at->byte) {
      i = nodes[i].end;
      continue;
    }
    at = at->next;
    ++depth;
    if (!vocabulary_.text().tokens(i).empty()) fewest = std::min(fewest, 1 + at->count);
    ++i;
  }
  for (const int32_t token : vocabulary_.markers()) {
    const Step* after = &first;
    for (const char byte : vocabulary_.bytes(token)) {
      const bool fits =
          after->next != nullptr && after->byte == static_cast<unsigned char>(byte) && after->next->is_in_form;
      after = fits ? after->next : nullptr;
      if (!fits) break;
    }
    if (after != nullptr) fewest = std::min(fewest, 1 + after->count);
  }
  return fewest;
}

}  // namespace tinyllm
