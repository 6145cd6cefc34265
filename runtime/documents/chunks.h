#pragma once

#include <tinyllm/runtime/documents/document.h>

#include <cstddef>
#include <string>
#include <vector>

namespace tinyllm {

/// A passage of a document, to be found and cited as one.
struct Chunk {
  size_t offset = 0;  ///< In bytes of the document's text; it begins and ends with a character that is not blank.
  size_t length = 0;
  int first_page = 0;  ///< 0 in formats without pages.
  int last_page = 0;
  std::vector<std::string> headings;  ///< Above it, the outermost first. They are not part of it.
  size_t paragraph = 0;               ///< The number of its first paragraph in the document, from 1, as people count.
};

struct ChunkOptions {
  /// The most that can be asked for. A chunk may have line feeds besides, and still has less than 64 KB.
  static constexpr int64_t kMost = 16'000;

  int64_t characters = 256;  ///< The most a chunk has, except where a row of a table is longer. From 16 to `kMost`.
};

/// Cuts a document into chunks, in the order of the text and without overlap. A chunk lies below one heading. It ends
/// with a paragraph where that leaves it at least half full, else with a sentence (`documents::first_sentence`). A
/// sentence that is too long is cut after a comma or a blank. A row stays whole, up to 16 times the characters and up
/// to `kMost`. A heading with nothing below it is a chunk itself. Every paragraph that is not a heading is in the
/// chunks.
std::vector<Chunk> chunks_of(const Document& document, const ChunkOptions& options = {});

}  // namespace tinyllm
