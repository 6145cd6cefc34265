#pragma once

#include <tinyllm/model/text/spm/chars_map.h>
#include <tinyllm/model/text/text_trie.h>

#include <string>
#include <string_view>

namespace tinyllm {

/// What SentencePiece does to a text before it is encoded. Immutable.
struct SpmNormalizer {
  CharsMap map;
  bool add_dummy_prefix = true;     ///< A blank before each text,
  bool blank_as_suffix = false;     ///< or after it.
  bool remove_extra_blanks = true;  ///< At both ends, and of several in a row.
  bool escape_blanks = true;        ///< As U+2581.

  /// The text must be UTF-8. Texts of `kept` stay as they are.
  std::string apply(std::string_view text, const TextTrie& kept) const;
};

}  // namespace tinyllm
