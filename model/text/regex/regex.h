#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tinyllm {

struct RegexProgram;

/// A regular expression in the syntax of Oniguruma (`parse_pattern`) over texts that are UTF-8. Finds the same matches:
/// the leftmost, and of those the one that its alternatives and repeats prefer. Immutable, for any number of threads.
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

  /// Finds one match of a text after the other. The stack of the matcher is on the heap, and its steps are counted: a
  /// pattern that goes back too often, such as `(a*)*b`, is an Error, as its time would have no bound.
  class Search {
   public:
    /// Both must outlive the search.
    Search(const Regex& regex, std::string_view text);

    /// Returns false at the end. An empty match is not found right after another match.
    bool next(Match& match);
    /// Steps taken so far: characters read, instructions done.
    uint64_t steps() const { return steps_; }

   private:
    static constexpr size_t kNone = SIZE_MAX;
    struct Back {  // Where to go on when what was tried does not match.
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
