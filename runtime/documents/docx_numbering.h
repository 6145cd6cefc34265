#pragma once

#include <tinyllm/runtime/documents/docx_styles.h>

#include <array>
#include <map>
#include <string>
#include <string_view>

namespace tinyllm::documents {

/// The numbers of headings and items, which Word does not store with them (ECMA-376 part 1, 17.9).
class DocxNumbers {
 public:
  /// Reads numbering.xml; empty bytes are no lists.
  explicit DocxNumbers(std::string_view xml);

  /// The number of the next paragraph of a list, with a blank: "1.2 ", "第三章 ", "- " for bullets. Empty where the
  /// list is not known, or says that there is none.
  std::string next(const DocxNumbering& numbering);

 private:
  friend class DocxNumbersReader;
  static constexpr int kLevels = 9;

  struct Level {
    int start = 1;
    std::string format = "decimal";
    std::string text;
    bool is_legal = false;  // All numbers in it are written as 1, 2, 3.
  };
  using Levels = std::array<Level, kLevels>;
  struct List {
    std::string levels;           // Which levels it has, and counts with all lists that have these.
    std::map<int, int> restarts;  // Levels that begin with another number when the list is first used.
    std::map<int, Level> replaced;
  };

  const Level& level_of(const List& list, int level) const;

  std::map<std::string, Levels> levels_;
  std::map<std::string, List> lists_;
  std::map<std::string, std::array<int, kLevels>> counters_;
};

/// A number as Word writes it in a format of ECMA-376 part 1, 17.18.59; as digits in formats that are not known.
std::string format_number(int number, std::string_view format);

}  // namespace tinyllm::documents
