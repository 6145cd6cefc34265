#pragma once

#include <tinyllm/runtime/documents/document_writer.h>

#include <tinyllm/runtime/documents/html.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace tinyllm::documents {

/// How lines become paragraphs.
struct LineOptions {
  bool joins = true;           ///< Lines that a program broke at a width are joined.
  bool finds_chapters = true;  ///< Lines such as "第三章 海" are headings (`chapter_level`).
};

/// Reads lines in UTF-8 as paragraphs. Those that `headings` marks are headings; those with a tab between words are
/// rows of a table. `source` is the byte of the file at which the text begins; -1 where its bytes are not those of the
/// file.
void read_lines(std::string_view text, int64_t source, std::span<const HeadingMark> headings,
                const LineOptions& options, DocumentWriter& out);

/// The level of a line that is the heading of a chapter: 1 for 卷 部 篇, 2 for 章 回, 3 for 节; "Chapter 3" has 2. 0
/// for other lines.
int chapter_level(std::string_view line);

/// Appends what follows the end of a line in the same paragraph, with a blank between them except between Chinese
/// characters.
void append_line(std::string_view line, int page, int64_t source, DocumentWriter& out);

}  // namespace tinyllm::documents
