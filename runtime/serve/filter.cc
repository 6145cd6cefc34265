#include <tinyllm/runtime/serve/filter.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>

#include <unicode/uchar.h>

#include <algorithm>
#include <deque>

namespace tinyllm {
namespace {

constexpr uint64_t kMostBytes = 16 << 20;
constexpr size_t kMaxWord = 256;  // In characters: so much text is held back at most.

char32_t folded(char32_t c) { return static_cast<char32_t>(u_foldCase(static_cast<UChar32>(c), U_FOLD_CASE_DEFAULT)); }

// The bytes of the last characters of a text.
size_t bytes_of_last(std::string_view text, size_t characters) {
  size_t at = text.size();
  for (; characters > 0 && at > 0; --characters) {
    --at;
    while (at > 0 && continues_character(text[at])) --at;
  }
  return text.size() - at;
}

}  // namespace

Filter::Filter(std::string_view rules, std::string_view where) {
  check_utf8(rules, where);
  size_t number = 0;
  while (!rules.empty()) {
    std::string_view line = rules.substr(0, rules.find('\n'));
    rules.remove_prefix(std::min(line.size() + 1, rules.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    try {
      if (line.size() > 2 && line.starts_with('/') && line.ends_with('/')) {
        patterns_.emplace_back(line.substr(1, line.size() - 2));
      } else {
        add_word(line);
      }
    } catch (const Error& error) {
      throw Error("{}: line {}: {}", where, number, error.what());
    }
  }
  link();
}

std::shared_ptr<const Filter> Filter::load(const std::filesystem::path& path) {
  return std::make_shared<Filter>(read_file(path, kMostBytes), path.string());
}

void Filter::add_word(std::string_view word) {
  uint32_t node = 0;
  for (size_t at = 0; at < word.size();) {
    const char32_t c = folded(next_character(word, at));
    const auto [next, is_new] = nodes_[node].next.try_emplace(c, static_cast<uint32_t>(nodes_.size()));
    const uint32_t found = next->second;
    if (is_new) {
      const uint32_t depth = nodes_[node].depth + 1;
      if (depth > kMaxWord) throw Error("a word of more than {} characters", kMaxWord);
      nodes_.emplace_back().depth = depth;
    }
    node = found;
  }
  nodes_[node].word = nodes_[node].depth;
}

// Breadth first: a fallback is nearer to the root.
void Filter::link() {
  std::deque<uint32_t> queue = {0};
  for (; !queue.empty(); queue.pop_front()) {
    const uint32_t parent = queue.front();
    for (const auto& [c, child] : nodes_[parent].next) {
      queue.push_back(child);
      if (parent != 0) nodes_[child].fallback = step(nodes_[parent].fallback, c);
      if (nodes_[child].word == 0) nodes_[child].word = nodes_[nodes_[child].fallback].word;
    }
  }
}

uint32_t Filter::step(uint32_t node, char32_t c) const {
  for (;; node = nodes_[node].fallback) {
    const auto next = nodes_[node].next.find(c);
    if (next != nodes_[node].next.end()) return next->second;
    if (node == 0) return 0;
  }
}

bool Filter::matches(std::string_view text) const {
  FilterStream stream(this);
  stream.add(text, true);
  return stream.has_matched();
}

FilterStream::FilterStream(const Filter* filter) : filter_(filter) {
  if (filter == nullptr) return;
  for (const StreamPattern& pattern : filter->patterns_) states_.push_back(pattern.start());
}

size_t FilterStream::take(char32_t c, size_t& match) {
  node_ = filter_->step(node_, folded(c));
  match = filter_->nodes_[node_].word;
  size_t begun = filter_->nodes_[node_].depth;
  for (size_t i = 0; i < states_.size(); ++i) {
    match = std::max<size_t>(match, filter_->patterns_[i].take(states_[i], c));
    begun = std::max<size_t>(begun, StreamPattern::longest(states_[i]));
  }
  return begun;
}

std::string FilterStream::add(std::string_view text, bool is_last) {
  if (has_matched_) return {};
  if (filter_ == nullptr) {
    passed_ += text.size();
    return std::string(text);
  }
  std::string passed;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    size_t match = 0;
    const size_t begun = take(next_character(text, at), match);
    held_ += text.substr(begin, at - begin);
    has_matched_ = match > 0;
    const size_t kept = std::min(held_.size(), bytes_of_last(held_, has_matched_ ? match : begun));
    passed += held_.substr(0, held_.size() - kept);
    held_.erase(0, held_.size() - kept);
    if (has_matched_) break;
  }
  if (is_last && !has_matched_) passed += std::exchange(held_, {});
  passed_ += passed.size();
  return passed;
}

}  // namespace tinyllm
