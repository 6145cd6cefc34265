#pragma once

#include <tinyllm/runtime/documents/bbox_layout.h>

#include <string>
#include <vector>

namespace tinyllm::documents {

/// Removes headers and footers: lines in the upper or lower sixth of the page that are on more than 60 % of the pages,
/// at the same height, and the same, or a number that counts with the pages and few letters. Above a header, and below
/// a footer, is nothing but others. A chapter's heading is none. Only in files of three pages or more. Returns a
/// sentence about each line that was removed, with its text on the first such page.
std::vector<std::string> remove_furniture(std::vector<Page>& pages);

/// Rows of tables: lines of the page at one height, apart from each other, in two or more heights that follow each
/// other. For each line the number of its row, from 0, in the order of the first lines; -1 outside of tables.
std::vector<int> table_rows(const Page& page);

}  // namespace tinyllm::documents
