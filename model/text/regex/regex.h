#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tinyllm {

struct RegexProgram;

/// A regular expression in Oniguruma's syntax (see `parse_pattern`), for UTF-8 texts. It finds the same matches as
/// Oniguruma: the leftmost, and of those the one that the order of alternatives and repeats prefers. Immutable: any
/// number of threads may use it.
class Regex {
 public:
  explicit Regex(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  struct Match {
    size_t begin = 0;
    size_t end = 0;
  };

  /// Finds the matches in a text one after another. The matcher's stack is on the heap, and its steps are limited: a
  /// pattern that backtracks too often, such as `(a*)*b`, throws Error instead of running for exponential time.
  class Search {
   public:
    /// Both must outlive the search.
    Search(const Regex& regex, std::string_view text);

    /// Returns false at the end. An empty match directly after another match is skipped.
    bool next(Match& match);
    /// Steps so far: characters read plus instructions executed.
    uint64_t steps() const { return steps_; }

   private:
    static constexpr size_t kNone = SIZE_MAX;
    struct Back {  // Where to continue if the current attempt fails.
      uint32_t at;
      uint32_t kind;
      size_t position;
      size_t limit;
    };
    bool find(size_t from, Match& match);
    size_t match_at(uint32_t start, size_t position);
    bool go_back(size_t base, uint32_t& at, size_t& position);
    bool run(uint32_t& at, size_t& position);
    bool look_apart(uint32_t& at, size_t& position);
    bool is_at(uint32_t at, size_t position) const;
    bool is_word(size_t position, bool before) const;
    void push(const Back& back);
    void count(uint64_t steps);

    const RegexProgram& program_;
    std::string_view text_;
    size_t at_ = 0;
    size_t last_end_ = kNone;
    uint64_t steps_ = 0;
    uint64_t most_steps_;
    std::vector<Back> stack_;
    std::vector<size_t> marks_;
  };

 private:
  std::unique_ptr<const RegexProgram> program_;
};

}  // namespace tinyllm
