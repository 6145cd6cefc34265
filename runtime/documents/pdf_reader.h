#pragma once

#include <tinyllm/runtime/documents/bbox_layout.h>
#include <tinyllm/runtime/documents/document_writer.h>

namespace tinyllm::documents {

/// Reads an open PDF file with `pdftotext`. Throws Error when the file is damaged, needs a password or forbids copying,
/// and when pdftotext or its tables of Chinese characters are not installed.
void read_pdf(int file, const DocumentLimits& limits, Document& document, DocumentWriter& out);

/// Writes pages as paragraphs, headings (larger than most of the text, or chapters by their words) and rows of tables.
/// A paragraph that goes on in the next column or on the next page is one. Headers and footers are left out, and noted.
/// A page without text, or of whose characters more than 5 % are unknown (U+FFFD, private use), is listed as unreadable
/// and left out.
void write_pages(PageLayout layout, Document& document, DocumentWriter& out);

}  // namespace tinyllm::documents
