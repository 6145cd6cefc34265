#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::documents {

/// A line of a page, or of one cell of a table. Sizes are in points, from the upper left corner.
struct PageLine {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  std::string text;
  int block = 0;  ///< The number of its block, what the program takes for a paragraph or a column.

  double height() const { return bottom - top; }
};

struct Page {
  double width = 0;
  double height = 0;
  std::vector<PageLine> lines;  ///< In the order in which they are read.
};

struct PageLayout {
  std::string title;
  std::vector<Page> pages;
};

/// Reads what `pdftotext -bbox-layout` writes: pages, blocks, lines and words with their boxes. Words of a line are
/// joined, with a blank where there is a gap; a wide gap ends the cell of a table.
PageLayout read_bbox_layout(std::string_view xml);

}  // namespace tinyllm::documents
