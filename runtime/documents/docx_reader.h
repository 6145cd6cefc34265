#pragma once

#include <tinyllm/runtime/documents/document_writer.h>

#include <string_view>

namespace tinyllm::documents {

/// Reads a document of Word 2007 and later (ECMA-376) from the bytes of its archive, in the order of its body: headings
/// and items with their numbers, tables by rows, text boxes after the paragraph that they are fixed to, footnotes in
/// brackets where their mark is. Insertions that are not accepted yet are in, deletions and hidden text are out. The
/// page of a paragraph is not stored in such a file. Throws Error for what is not such a document.
void read_docx(std::string_view archive, Document& document, DocumentWriter& out);

}  // namespace tinyllm::documents
