#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::jinja {

inline constexpr int32_t kFromTemplate = -1;  ///< Characters that the template spells.
inline constexpr int32_t kFromRequest = -2;   ///< Of tools and other arguments: not the template's, and no message's.

/// Where a character comes from.
struct Origin {
  int32_t source = kFromTemplate;  ///< Or the index of the message.
  bool learned = false;            ///< Whether it was written by a `{% generation %}` block.

  bool operator==(const Origin&) const = default;
};

/// A string in UTF-8 that knows of each character where it comes from.
class Text {
 public:
  /// Longest text in bytes. A text that grows longer is an Error.
  static constexpr size_t kMaxBytes = size_t{16} << 20;

  /// Characters of one origin, which end before the byte `end`.
  struct Run {
    size_t end;
    Origin origin;
  };

  Text() = default;
  explicit Text(std::string_view bytes, Origin origin = {}) { append(bytes, origin); }

  std::string_view bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  const std::vector<Run>& runs() const { return runs_; }
  Origin origin_at(size_t byte) const { return runs_[run_at(byte)].origin; }

  void append(std::string_view bytes, Origin origin = {});
  void append(const Text& other) { append(other, 0, other.size()); }
  /// The bytes [begin, end) of another text.
  void append(const Text& other, size_t begin, size_t end);
  Text slice(size_t begin, size_t end) const;
  /// Marks all characters as learned.
  void learn();

 private:
  size_t run_at(size_t byte) const;

  std::string bytes_;
  std::vector<Run> runs_;  // Neighbours differ in origin; the last one ends with the text.
};

}  // namespace tinyllm::jinja
