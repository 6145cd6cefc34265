#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The `precompiled_charsmap` of a SentencePiece model: which byte sequences to replace before a text is encoded. The
/// blob holds a trie and then the replacement texts, each ending with NUL. The trie is a double array (Aoe 1989, "An
/// Efficient Digital Search Algorithm by Using a Double-Array Structure") in the format of the Darts-clone library. The
/// map may come from a stranger, so every step of a search checks its bounds.
class CharsMap {
 public:
  /// Empty: nothing is changed.
  CharsMap() = default;
  /// Throws Error when the sizes do not fit, the last text has no NUL, or a text is not UTF-8. `what` names the map in
  /// errors.
  CharsMap(std::string_view blob, std::string_view what);

  struct Found {
    size_t length = 0;  // Of the longest mapped sequence that the text begins with; 0: there is none.
    std::string_view text;
  };
  Found find(std::string_view text) const;

 private:
  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace tinyllm
