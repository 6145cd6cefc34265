#pragma once

#include <tinyllm/model/text/spm/chars_map.h>
#include <tinyllm/model/text/text_trie.h>

#include <string>
#include <string_view>

namespace tinyllm {

/// How SentencePiece changes a text before it encodes it. Immutable.
struct SpmNormalizer {
  CharsMap map;
  bool add_dummy_prefix = true;     ///< Adds a blank before each text,
  bool blank_as_suffix = false;     ///< or after it.
  bool remove_extra_blanks = true;  ///< Removes blanks at both ends, and all but one of several in a row.
  bool escape_blanks = true;        ///< Writes a blank as U+2581.

  /// The text must be UTF-8. The texts in `kept` are copied unchanged.
  std::string apply(std::string_view text, const TextTrie& kept) const;
};

}  // namespace tinyllm
