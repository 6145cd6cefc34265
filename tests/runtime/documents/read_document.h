#pragma once

#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/chunks.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "temp_folder.h"

namespace tinyllm::test {

inline Document read_bytes(std::string_view bytes, const std::string& name, const DocumentLimits& limits = {}) {
  const TempFolder folder;
  write_file(folder / name, bytes);
  return read_document(folder / name, limits);
}

inline std::string_view text_of(const Document& document, const Paragraph& p) {
  return std::string_view(document.text).substr(p.offset, p.length);
}

/// The paragraphs, one a line: "# " before headings, one # for each level, and "| " before rows.
inline std::string outline(const Document& document) {
  std::string lines;
  for (const Paragraph& p : document.paragraphs) {
    if (p.kind == Paragraph::Kind::heading) lines += std::string(static_cast<size_t>(p.level), '#') + " ";
    if (p.kind == Paragraph::Kind::row) lines += "| ";
    lines.append(text_of(document, p)).append("\n");
  }
  return lines;
}

inline std::vector<std::string> texts_of(const Document& document, const std::vector<Chunk>& chunks) {
  std::vector<std::string> texts;
  for (const Chunk& chunk : chunks) texts.push_back(document.text.substr(chunk.offset, chunk.length));
  return texts;
}

/// What holds for the document of any file.
inline void check_map(const Document& document) {
  const std::string& text = document.text;
  REQUIRE(valid_utf8(text) == text.size());
  size_t end = 0;
  for (const Paragraph& p : document.paragraphs) {
    REQUIRE(p.offset >= end);
    REQUIRE(p.length > 0);
    end = p.offset + p.length;
    REQUIRE(end <= text.size());
    REQUIRE(text_of(document, p).find('\n') == std::string_view::npos);
    REQUIRE(paragraph_at(document, p.offset) == static_cast<size_t>(&p - document.paragraphs.data()));
  }
  REQUIRE((text.empty() || document.places.at(0).offset == 0));
  for (size_t i = 1; i < document.places.size(); ++i) {
    REQUIRE(document.places[i - 1].offset < document.places[i].offset);
    REQUIRE(document.places[i].offset < text.size());
  }
}

/// What holds for the chunks of any document: they are in order, begin and end with whole characters, and together they
/// hold every character that is not blank and not in a heading.
inline void check_chunks(const Document& document, const ChunkOptions& options) {
  const std::vector<Chunk> chunks = chunks_of(document, options);
  std::vector<bool> is_in_chunk(document.text.size());
  size_t end = 0;
  for (const Chunk& chunk : chunks) {
    REQUIRE(chunk.offset >= end);
    REQUIRE(chunk.length > 0);
    end = chunk.offset + chunk.length;
    REQUIRE(end <= document.text.size());
    REQUIRE_FALSE(continues_character(document.text[chunk.offset]));
    REQUIRE((end == document.text.size() || !continues_character(document.text[end])));
    const Paragraph& first = document.paragraphs.at(chunk.paragraph - 1);
    REQUIRE(first.offset <= chunk.offset);
    REQUIRE(chunk.offset < first.offset + first.length);
    REQUIRE(chunk.first_page <= chunk.last_page);
    REQUIRE(chunk.headings == headings_above(document, chunk.paragraph - 1));
    const std::string_view quote = std::string_view(document.text).substr(chunk.offset, chunk.length);
    if (quote.find('\t') == std::string_view::npos) REQUIRE(count_of_characters(quote) <= 16 * options.characters);
    std::fill(is_in_chunk.begin() + static_cast<std::ptrdiff_t>(chunk.offset),
              is_in_chunk.begin() + static_cast<std::ptrdiff_t>(end), true);
  }
  for (const Paragraph& p : document.paragraphs) {
    if (p.kind == Paragraph::Kind::heading) continue;
    for (size_t at = p.offset; at < p.offset + p.length;) {
      const size_t from = at;
      const char32_t c = next_character(document.text, at);
      const bool is_blank = c == ' ' || c == '\t' || c == U'\u3000' || c == U'\u00A0';
      if (!is_blank) REQUIRE(is_in_chunk[from]);
    }
  }
}

inline void check_properties(const Document& document) {
  check_map(document);
  for (const int64_t characters : {16, 40, 256}) check_chunks(document, {characters});
}

}  // namespace tinyllm::test
