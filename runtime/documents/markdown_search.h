#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tinyllm::documents {

namespace detail {

/// The number of bytes that this thread searched for the ends of marks. Tests use it to check that reading Markdown
/// takes linear time.
inline thread_local int64_t bytes_searched = 0;

}  // namespace detail

/// Finds the occurrences of one string in a text, going forward. All searches together read the text once.
class ForwardFinder {
 public:
  ForwardFinder(std::string_view text, std::string what) : text_(text), what_(std::move(what)) {}

  /// The first occurrence at or after `from`, which must not decrease between calls; npos if there is none.
  size_t find(size_t from) {
    if (!next_ || *next_ < from) {
      next_ = text_.find(what_, from);
      detail::bytes_searched += static_cast<int64_t>(std::min(*next_, text_.size()) - from);
    }
    return *next_;
  }

 private:
  std::string_view text_;
  std::string what_;
  std::optional<size_t> next_;
};

/// The runs of back quotes in a line. Code is between two runs of the same size.
class CodeSpans {
 public:
  explicit CodeSpans(std::string_view line) : line_(line) {}

  size_t run_size(size_t at) const { return std::min(line_.find_first_not_of('`', at), line_.size()) - at; }

  /// The next run of this size at or after `from`, which must not be within a run; npos if there is none.
  size_t find(size_t from, size_t size) {
    const bool is_last = !last_.empty() && (size >= last_.size() || last_[size] < from);
    if (is_last) return std::string_view::npos;
    size_t at = line_.find('`', from);
    while (at != std::string_view::npos) {
      const size_t found = run_size(at);
      if (found == size) break;
      at = line_.find('`', at + found);
    }
    detail::bytes_searched += static_cast<int64_t>(std::min(at, line_.size()) - from);
    if (at == std::string_view::npos) find_last();
    return at;
  }

 private:
  // Called after the first search that finds nothing, so that there is no second one.
  void find_last() {
    last_.resize(1);
    for (size_t at = 0; (at = line_.find('`', at)) != std::string_view::npos;) {
      const size_t size = run_size(at);
      if (last_.size() <= size) last_.resize(size + 1, 0);
      last_[size] = at;
      at += size;
    }
  }

  std::string_view line_;
  std::vector<size_t> last_;  // Where the last run of each size begins; empty before it is needed.
};

}  // namespace tinyllm::documents
