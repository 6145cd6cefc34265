#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::jinja {

inline constexpr int32_t kFromTemplate = -1;  ///< Text of the template itself.
inline constexpr int32_t kFromRequest = -2;   ///< Text of tools and other arguments.

/// The origin of a character.
struct Origin {
  int32_t source = kFromTemplate;  ///< kFromTemplate, kFromRequest, or the index of a message.
  bool learned = false;            ///< Whether a `{% generation %}` block wrote it.

  bool operator==(const Origin&) const = default;
};

/// A UTF-8 string that records the origin of each character. So text of a message never becomes a special token.
class Text {
 public:
  /// The most bytes of a text. Throws Error beyond it.
  static constexpr size_t kMaxBytes = size_t{16} << 20;

  /// Characters with the same origin, up to byte `end`.
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
  std::vector<Run> runs_;  // Neighbours differ in origin. The last run ends with the text.
};

}  // namespace tinyllm::jinja
