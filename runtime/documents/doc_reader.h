#pragma once

#include <tinyllm/runtime/documents/document_writer.h>

namespace tinyllm::documents {

/// Reads an open file of Word 97 to 2003 with `catdoc`. Throws Error when it is damaged or encrypted, when its text is
/// not readable, and when catdoc is not installed.
void read_doc(int file, const DocumentLimits& limits, Document& document, DocumentWriter& out);

}  // namespace tinyllm::documents
