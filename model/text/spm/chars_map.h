#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The `precompiled_charsmap` of a SentencePiece model: what sequences of bytes become before a text is encoded. It is
/// a trie as a double array (Aoe 1989, "An Efficient Digital Search Algorithm by Using a Double-Array Structure"), in
/// the format of the Darts-clone library, and the new texts, each ending with NUL. The map may come from a stranger:
/// each step of a search is checked against its end.
class CharsMap {
 public:
  /// Empty: nothing is changed.
  CharsMap() = default;
  /// Throws Error when the sizes do not fit, or when a text does not end or is not UTF-8. `what` names it in errors.
  CharsMap(std::string_view blob, std::string_view what);

  struct Found {
    size_t length = 0;  // Of the longest sequence that the text begins with; 0: none is mapped.
    std::string_view text;
  };
  Found find(std::string_view text) const;

 private:
  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace tinyllm
