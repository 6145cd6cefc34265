#pragma once

#include <tinyllm/runtime/documents/document_writer.h>

#include <cstdint>
#include <string_view>

namespace tinyllm::documents {

/// Reads plain text in UTF-8. A line is a paragraph; lines that a program broke at a width are joined. `source` is the
/// byte of the file at which the text begins; -1 where bytes of the text are not those of the file. Lines such as
/// "第三章 海" are headings.
void read_plain_text(std::string_view text, int64_t source, DocumentWriter& out);

/// The level of a line that is the heading of a chapter: 1 for 卷 部 篇, 2 for 章 回, 3 for 节; "Chapter 3" has 2. 0
/// for other lines.
int chapter_level(std::string_view line);

/// Appends what follows the end of a line in the same paragraph, with a blank between them except between Chinese
/// characters.
void append_line(std::string_view line, int page, int64_t source, DocumentWriter& out);

}  // namespace tinyllm::documents
