#pragma once

#include <tinyllm/runtime/documents/document.h>

#include <cstdint>
#include <string_view>

namespace tinyllm::documents {

/// Writes the text of a document, paragraph by paragraph, and keeps the map of its places.
class DocumentWriter {
 public:
  /// `document` must outlive the writer.
  DocumentWriter(Document& document, uint64_t most_bytes) : document_(document), most_bytes_(most_bytes) {}

  /// Begins a paragraph after the one before. One that stays empty is dropped.
  void begin(Paragraph::Kind kind, int level = 0);

  /// Appends text in UTF-8 to the paragraph. Line ends become blanks. Control characters, zero-width blanks and soft
  /// hyphens are left out, and so are blanks at both ends of the paragraph. `source` is the byte of the file that
  /// `text` begins at. Throws Error when the document has more bytes than it may.
  void append(std::string_view text, int page = 0, int64_t source = -1);

  /// Takes the last bytes of the paragraph back.
  void remove_last(size_t bytes);

  /// Ends the last paragraph.
  void end();

  /// The part of the paragraph that is written so far.
  std::string_view paragraph() const;

 private:
  void copy(std::string_view text, int page, int64_t source);
  void truncate(size_t size);

  Document& document_;
  uint64_t most_bytes_;
  Paragraph current_;
  bool is_open_ = false;
};

}  // namespace tinyllm::documents
