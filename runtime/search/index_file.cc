#include <tinyllm/runtime/search/index_file.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>

#include <algorithm>
#include <cstring>

namespace tinyllm::search {
namespace {

constexpr int64_t kApplication = 0x746C7264;         // "tlrd".
constexpr int64_t kMostOfChunk = 64 << 10;           // Bytes; `ChunkOptions::kMost` characters are less.
constexpr uint32_t kMostChunks = uint32_t{1} << 26;  // Each takes four bytes of memory, also one that is gone.

constexpr const char* kSchema = R"(
PRAGMA page_size = 8192;
BEGIN IMMEDIATE;
PRAGMA application_id = 1953264228;
PRAGMA user_version = 3;
CREATE TABLE settings(name BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE contents(id INTEGER PRIMARY KEY, hash BLOB UNIQUE);
CREATE TABLE files(path BLOB PRIMARY KEY, size INTEGER, time INTEGER, content INTEGER, problem BLOB) WITHOUT ROWID;
CREATE INDEX files_of_content ON files(content);
CREATE TABLE documents(id INTEGER PRIMARY KEY, content INTEGER, name BLOB, title BLOB, length INTEGER);
CREATE INDEX documents_of_content ON documents(content);
CREATE TABLE texts(id INTEGER PRIMARY KEY, document INTEGER, start INTEGER, bytes BLOB);
CREATE INDEX texts_of_document ON texts(document, start);
CREATE TABLE chunks(id INTEGER PRIMARY KEY, document INTEGER, start INTEGER, length INTEGER, headings BLOB);
CREATE TABLE pages(document INTEGER, start INTEGER, page INTEGER, PRIMARY KEY(document, start)) WITHOUT ROWID;
CREATE INDEX chunks_of_document ON chunks(document);
CREATE TABLE segments(id INTEGER PRIMARY KEY, first INTEGER, count INTEGER, lengths BLOB);
CREATE TABLE blocks(id INTEGER PRIMARY KEY, segment INTEGER, first INTEGER, bytes BLOB);
CREATE INDEX blocks_of_segment ON blocks(segment, first);
COMMIT;
)";

}  // namespace

IndexFile::IndexFile(const std::filesystem::path& path, Database::Mode mode)
    : database_(path, mode),
      find_block_((mode == Database::Mode::create ? make_tables() : check_stamp(),
                   database_.prepare("SELECT bytes, first FROM blocks WHERE segment = ? AND first <= ? "
                                     "ORDER BY first DESC LIMIT 1"))),
      find_chunk_(database_.prepare("SELECT document, start, length, headings FROM chunks WHERE id = ?")),
      find_source_(database_.prepare("SELECT min(f.path), d.name, d.title, d.length FROM documents d "
                                     "JOIN files f ON f.content = d.content WHERE d.id = ?")),
      find_text_(database_.prepare("SELECT start, bytes FROM texts WHERE document = ? AND start > ? AND start < ? "
                                   "ORDER BY start")),
      find_page_(database_.prepare("SELECT page FROM pages WHERE document = ? AND start <= ? "
                                   "ORDER BY start DESC LIMIT 1")) {
  refresh();
}

void IndexFile::make_tables() {
  if (database_.number("SELECT count(*) FROM sqlite_schema") == 0) database_.run(kSchema);
  check_stamp();
}

void IndexFile::check_stamp() {
  const std::string name = database_.path().string();
  if (database_.number("PRAGMA application_id") != kApplication) {
    throw Error("{}: is not an index of documents, expected a file that `rag index` has made", name);
  }
  if (const int64_t version = database_.number("PRAGMA user_version"); version != kVersion) {
    throw Error("{}: is an index of version {}, expected {}; build it again", name, version, kVersion);
  }
}

void IndexFile::refresh() {
  const int64_t now = database_.number("PRAGMA data_version");
  if (now == seen_) return;
  segments_.clear();
  lengths_.assign(1, 0);  // No chunk has the number 0.
  Statement all = database_.prepare("SELECT id, first, count, lengths FROM segments ORDER BY first");
  while (all.step()) {
    const int64_t first = all.number(1), count = all.number(2);
    const std::string_view lengths = all.bytes(3);
    if (first < chunks_end() || count < 0 || first > kMostChunks || count > kMostChunks - first ||
        lengths.size() != static_cast<size_t>(count) * sizeof(uint32_t)) {
      throw Error("{}: its table of segments is damaged; build the index again", database_.path().string());
    }
    segments_.push_back({all.number(0), static_cast<uint32_t>(first), static_cast<uint32_t>(count)});
    lengths_.resize(static_cast<size_t>(first + count));
    if (count > 0) std::memcpy(lengths_.data() + first, lengths.data(), lengths.size());
  }
  chunks_ = grams_ = 0;
  for (const uint32_t length : lengths_) {
    chunks_ += length > 0;
    grams_ += length;
  }
  seen_ = now;
}

// Calls use(BlockReader) for the entry of a gram in each segment that has one.
template <class Use>
void IndexFile::for_each_entry(Gram gram, Use use) {
  for (const Segment& segment : segments_) {
    find_block_.bind(segment.id, static_cast<int64_t>(gram));
    if (!find_block_.step()) continue;
    BlockReader block(static_cast<Gram>(find_block_.number(1)), find_block_.bytes(0));
    while (block.next() && block.gram() < gram) {
    }
    if (block.gram() == gram) use(block);
  }
  find_block_.reset();
}

void IndexFile::read_postings(Gram gram, std::vector<Posting>& postings) {
  postings.clear();
  for_each_entry(gram, [&](const BlockReader& entry) { entry.read(chunks_end(), postings); });
  std::erase_if(postings, [&](const Posting& posting) { return lengths_[posting.chunk] == 0; });
}

int64_t IndexFile::count_postings(Gram gram) {
  int64_t count = 0;
  for_each_entry(gram, [&](const BlockReader& entry) { count += entry.count(); });
  return count;
}

ChunkRecord IndexFile::chunk(ChunkId id) {
  find_chunk_.bind(static_cast<int64_t>(id));
  if (!find_chunk_.step()) throw Error("{}: chunk {} is missing; build the index again", database_.path().string(), id);
  ChunkRecord chunk{find_chunk_.number(0), find_chunk_.number(1), find_chunk_.number(2),
                    std::string(find_chunk_.bytes(3))};
  find_chunk_.reset();
  if (chunk.length > kMostOfChunk) {
    throw Error("{}: chunk {} has {} bytes, expected at most {}; build the index again", database_.path().string(), id,
                chunk.length, kMostOfChunk);
  }
  return chunk;
}

Source IndexFile::source(DocumentId id) {
  find_source_.bind(id);
  find_source_.step();
  Source source{std::string(find_source_.bytes(0)), std::string(find_source_.bytes(1)),
                std::string(find_source_.bytes(2)), find_source_.number(3)};
  find_source_.reset();
  return source;
}

int IndexFile::page_at(DocumentId document, int64_t offset) {
  find_page_.bind(document, offset);
  const int page = find_page_.step() ? static_cast<int>(find_page_.number(0)) : 0;
  find_page_.reset();
  return page;
}

std::string IndexFile::text(DocumentId document, int64_t offset, int64_t length) {
  std::string text;
  if (length <= 0 || offset < 0 || length > INT64_MAX - offset) return text;
  find_text_.bind(document, offset - kPiece, offset + length);
  int64_t at = offset;
  while (find_text_.step()) {
    const std::string_view piece = find_text_.bytes(1);
    const int64_t start = find_text_.number(0);
    if (start > at || at - start > std::ssize(piece)) break;
    const auto skip = static_cast<size_t>(at - start);
    const std::string_view part = piece.substr(skip, static_cast<size_t>(offset + length - at));
    text += part;
    at += std::ssize(part);
  }
  find_text_.reset();
  if (at != offset + length) {
    throw Error("{}: text {} to {} of document {} is missing; build the index again", database_.path().string(), offset,
                offset + length, document);
  }
  return text;
}

std::optional<std::string> IndexFile::setting(std::string_view name) {
  Statement find = database_.prepare("SELECT value FROM settings WHERE name = ?");
  find.bind(name);
  if (!find.step()) return std::nullopt;
  return std::string(find.bytes(0));
}

void IndexFile::set_setting(std::string_view name, std::string_view value) {
  database_.prepare("INSERT OR REPLACE INTO settings VALUES(?, ?)").bind(name, value).run();
}

}  // namespace tinyllm::search
