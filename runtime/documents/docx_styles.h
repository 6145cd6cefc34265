#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace tinyllm::documents {

/// The numbering of a paragraph: a list and a level in it.
struct DocxNumbering {
  std::string list;  ///< Empty: none. "0" takes away the one of the style.
  int level = 0;
};

/// What the style of a paragraph says about it.
struct DocxStyle {
  std::string name;  ///< As Word names it in English, in lower case: "heading 1", "title".
  int outline = -1;  ///< 0 for headings of level 1; -1: none, or not said.
  DocxNumbering numbering;
};

/// The paragraph styles of a document (ECMA-376 part 1, 17.7), with what they inherit.
class DocxStyles {
 public:
  /// Reads styles.xml; empty bytes are no styles.
  explicit DocxStyles(std::string_view xml);

  DocxStyle find(const std::string& id) const;

 private:
  friend class DocxStylesReader;
  struct Entry {
    DocxStyle style;
    std::string based_on;
  };
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace tinyllm::documents
