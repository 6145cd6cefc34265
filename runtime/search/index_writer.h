#pragma once

#include <tinyllm/runtime/search/index_file.h>

#include <set>
#include <string>
#include <vector>

namespace tinyllm::search {

/// How often a gram occurs in the fields of a chunk.
struct GramCount {
  Gram gram = 0;
  uint8_t body = 0;
  uint8_t title = 0;
  uint8_t headings = 0;
};

/// A chunk, counted.
struct NewChunk {
  ChunkRecord record;   ///< Without its document.
  uint32_t length = 0;  ///< Grams of all fields; 0 while they are not counted.
  std::vector<GramCount> grams;
};

/// Where a page of a document begins in its text.
struct PageStart {
  int64_t offset = 0;
  int page = 0;
};

/// A document that is ready to be stored.
struct NewDocument {
  std::string name;
  std::string title;
  std::string text;
  std::vector<PageStart> pages;  ///< In order; none in a document without pages.
  std::vector<NewChunk> chunks;
};

/// Counts the grams of a chunk of the document, with those of the title and of its headings.
void count_grams(const NewDocument& document, NewChunk& chunk);

/// A file of the folder as it was when it was read.
struct FileState {
  std::string path;
  int64_t size = 0;
  int64_t time = 0;          ///< Of its last change, in nanoseconds.
  std::string problem = {};  ///< Why it could not be read; empty if it could.
};

/// Changes an index. What is added and removed is stored by `commit`, all of it or nothing, also after `kill -9`; a
/// document is never stored in part. `wants_commit` says when it has become much.
class IndexWriter {
 public:
  explicit IndexWriter(IndexFile& index) : index_(index) {}

  std::vector<FileState> files();
  /// The hashes of all contents.
  std::set<std::string> hashes();
  /// Says that a file has a content that is stored already; false if it is not.
  bool refer(const FileState& file, std::string_view hash);
  /// Stores the documents of a file, none if it has no text. What the file held before is removed unless others hold it
  /// too.
  void add(const FileState& file, std::string_view hash, std::vector<NewDocument> documents);
  /// A file that cannot be read, and why. What it held before is removed.
  void refuse(const FileState& file);
  /// A file that is gone.
  void remove(const std::string& path);
  bool wants_commit() const { return builder_.size() + texts_ >= kBatch; }
  void commit();

 private:
  static constexpr size_t kBatch = 32 << 20;

  using Segment = IndexFile::Segment;

  void begin();
  void set_content(const FileState& file, int64_t content);
  void add(int64_t content, NewDocument& document);
  void drop_unused_contents();
  void drop_content(int64_t content);
  void write_segment();
  void tidy();
  void merge(size_t first, size_t count);
  void drop_segment(int64_t id);
  void save_lengths(const Segment& segment);

  IndexFile& index_;
  std::unique_ptr<Transaction> transaction_;
  SegmentBuilder builder_;
  uint32_t builder_first_ = 0;
  size_t texts_ = 0;  // Bytes of text since the last commit.
  std::set<int64_t> maybe_unused_;
  std::set<uint32_t> dead_;
};

}  // namespace tinyllm::search
