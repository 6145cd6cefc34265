#pragma once

#include <tinyllm/runtime/search/database.h>
#include <tinyllm/runtime/search/postings.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tinyllm::search {

using DocumentId = int64_t;

/// A piece of a document that is found as a whole.
struct ChunkRecord {
  DocumentId document = 0;
  int64_t offset = 0;  ///< In bytes of the document's text.
  int64_t length = 0;
  std::string headings;  ///< From the outermost, separated by " › ".
};

/// Where a document comes from.
struct Source {
  std::string path;  ///< Relative to the indexed folder. The first of several files with the same content.
  std::string name;  ///< Of a document among several of a file, its `id`; else empty.
  std::string title;
  int64_t length = 0;  ///< Of its text, in bytes.
};

/// The index of a folder: one SQLite file, which says by its application_id and its user_version that it is one, and in
/// which form. A segment holds the postings of a range of chunks; those of changed documents go into a segment of
/// their own, and small segments are merged. Chunks keep their number for life.
///
/// Tables: `files` (path, size, time, and the content they hold or why they cannot be read), `contents` (by hash),
/// `documents`, `texts` (their texts in pieces), `pages` (where each begins), `chunks`, `segments`, `blocks` (see
/// postings.h), `settings`.
class IndexFile {
 public:
  static constexpr int64_t kVersion = 3;
  /// Bytes of a piece of text.
  static constexpr int64_t kPiece = 32 << 10;

  /// Throws Error when the file is missing, is not an index, or is one of another version. `create` makes an empty
  /// index where no file is.
  IndexFile(const std::filesystem::path& path, Database::Mode mode);

  Database& database() { return database_; }

  /// Takes notice of what others have written since. To be called within a transaction, which then sees one state.
  void refresh();

  /// One more than the greatest number of a chunk.
  uint32_t chunks_end() const { return static_cast<uint32_t>(lengths_.size()); }
  /// Grams of a chunk, at least 1; 0 when it is gone.
  uint32_t length_of(ChunkId chunk) const { return lengths_[chunk]; }
  /// Chunks that are there.
  int64_t chunks() const { return chunks_; }
  double mean_length() const { return chunks_ > 0 ? static_cast<double>(grams_) / static_cast<double>(chunks_) : 1; }

  /// Replaces `postings` by those of a gram, in order of chunks.
  void read_postings(Gram gram, std::vector<Posting>& postings);
  /// An upper bound of the chunks with a gram, which counts those that are gone and not yet cleared.
  int64_t count_postings(Gram gram);

  ChunkRecord chunk(ChunkId id);
  Source source(DocumentId id);
  /// The page of a byte of the text, from 1; 0 in a document without pages.
  int page_at(DocumentId document, int64_t offset);
  /// Bytes of the text of a document. Throws Error when they are not there.
  std::string text(DocumentId document, int64_t offset, int64_t length);

  std::optional<std::string> setting(std::string_view name);
  void set_setting(std::string_view name, std::string_view value);

 private:
  friend class IndexWriter;

  /// A range of chunks that share blocks.
  struct Segment {
    int64_t id = 0;
    uint32_t first = 0;
    uint32_t count = 0;
  };
  template <class Use>
  void for_each_entry(Gram gram, Use use);
  void check_stamp();
  void make_tables();

  Database database_;
  Statement find_block_;
  Statement find_chunk_;
  Statement find_source_;
  Statement find_text_;
  Statement find_page_;
  int64_t seen_ = -1;  // SQLite's number of the state that the fields below describe.
  std::vector<Segment> segments_;
  std::vector<uint32_t> lengths_;
  int64_t chunks_ = 0;
  int64_t grams_ = 0;
};

}  // namespace tinyllm::search
