#include <tinyllm/runtime/search/index_writer.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <span>

namespace tinyllm::search {
namespace {

constexpr size_t kMostSegments = 8;
constexpr size_t kAhead = 16;  // Grams that are fetched before they are added.
constexpr int64_t kNoContent = 0;
constexpr uint8_t kMostInBody = 255;
constexpr uint8_t kMostInField = 15;

std::string_view bytes_of(std::span<const uint32_t> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
}

// Counts sorted grams into the field of a list that is sorted by gram.
void count_field(std::vector<Gram>& grams, uint8_t GramCount::*field, uint8_t most, std::vector<GramCount>& counts) {
  std::sort(grams.begin(), grams.end());
  const size_t old = counts.size();
  size_t at = 0;
  for (size_t i = 0; i < grams.size();) {
    size_t end = i;
    while (end < grams.size() && grams[end] == grams[i]) ++end;
    const auto count = static_cast<uint8_t>(std::min<size_t>(end - i, most));
    while (at < old && counts[at].gram < grams[i]) ++at;
    if (at < old && counts[at].gram == grams[i]) {
      counts[at].*field = count;
    } else {
      counts.push_back({.gram = grams[i]});
      counts.back().*field = count;
    }
    i = end;
  }
  std::inplace_merge(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(old), counts.end(),
                     [](const GramCount& a, const GramCount& b) { return a.gram < b.gram; });
}

}  // namespace

void count_grams(const NewDocument& document, NewChunk& chunk) {
  std::vector<Gram> title, headings, body;
  append_grams(document.title, title);
  append_grams(chunk.record.headings, headings);
  append_grams(std::string_view(document.text)
                   .substr(static_cast<size_t>(chunk.record.offset), static_cast<size_t>(chunk.record.length)),
               body);
  chunk.length = static_cast<uint32_t>(std::max<size_t>(title.size() + headings.size() + body.size(), 1));
  chunk.grams.reserve(body.size());
  count_field(body, &GramCount::body, kMostInBody, chunk.grams);
  count_field(title, &GramCount::title, kMostInField, chunk.grams);
  count_field(headings, &GramCount::headings, kMostInField, chunk.grams);
}

std::vector<FileState> IndexWriter::files() {
  std::vector<FileState> files;
  Statement all = index_.database_.prepare("SELECT path, size, time, problem FROM files ORDER BY path");
  while (all.step()) {
    files.push_back({std::string(all.bytes(0)), all.number(1), all.number(2), std::string(all.bytes(3))});
  }
  return files;
}

std::set<std::string> IndexWriter::hashes() {
  std::set<std::string> hashes;
  Statement all = index_.database_.prepare("SELECT hash FROM contents");
  while (all.step()) hashes.emplace(all.bytes(0));
  return hashes;
}

void IndexWriter::begin() {
  if (transaction_) return;
  transaction_ = std::make_unique<Transaction>(index_.database_, true);
  index_.refresh();
  builder_first_ = std::max(index_.chunks_end(), 1u);
}

void IndexWriter::set_content(const FileState& file, int64_t content) {
  Statement old = index_.database_.prepare("SELECT content FROM files WHERE path = ?");
  if (old.bind(file.path).step() && old.number(0) != content) maybe_unused_.insert(old.number(0));
  index_.database_.prepare("INSERT OR REPLACE INTO files VALUES(?, ?, ?, ?, ?)")
      .bind(file.path, file.size, file.time, content, file.problem)
      .run();
}

bool IndexWriter::refer(const FileState& file, std::string_view hash) {
  begin();
  Statement find = index_.database_.prepare("SELECT id FROM contents WHERE hash = ?");
  if (!find.bind(hash).step()) return false;
  set_content(file, find.number(0));
  return true;
}

void IndexWriter::add(const FileState& file, std::string_view hash, std::vector<NewDocument> documents) {
  begin();
  index_.database_.prepare("INSERT INTO contents(hash) VALUES(?)").bind(hash).run();
  const int64_t content = index_.database_.last_row();
  set_content(file, content);
  for (NewDocument& document : documents) add(content, document);
}

void IndexWriter::add(int64_t content, NewDocument& document) {
  Database& database = index_.database_;
  database.prepare("INSERT INTO documents(content, name, title, length) VALUES(?, ?, ?, ?)")
      .bind(content, document.name, document.title, std::ssize(document.text))
      .run();
  const DocumentId id = database.last_row();
  Statement add_text = database.prepare("INSERT INTO texts(document, start, bytes) VALUES(?, ?, ?)");
  for (int64_t start = 0; start < std::ssize(document.text); start += IndexFile::kPiece) {
    add_text.bind(id, start, std::string_view(document.text).substr(static_cast<size_t>(start), IndexFile::kPiece))
        .run();
  }
  texts_ += document.text.size();
  Statement add_page = database.prepare("INSERT OR REPLACE INTO pages VALUES(?, ?, ?)");
  for (const PageStart& page : document.pages) add_page.bind(id, page.offset, int64_t{page.page}).run();
  Statement add_chunk = database.prepare("INSERT INTO chunks VALUES(?, ?, ?, ?, ?)");
  for (NewChunk& chunk : document.chunks) {
    if (chunk.length == 0) count_grams(document, chunk);
    const ChunkId number = index_.chunks_end();
    const ChunkRecord& record = chunk.record;
    add_chunk.bind(int64_t{number}, id, record.offset, record.length, record.headings).run();
    for (size_t i = 0; i < chunk.grams.size(); ++i) {
      if (i + kAhead < chunk.grams.size()) builder_.prefetch(chunk.grams[i + kAhead].gram);
      const GramCount& count = chunk.grams[i];
      builder_.add(count.gram, {number, count.body, count.title, count.headings});
    }
    chunk.grams = {};  // A book has hundreds of megabytes of them.
    index_.lengths_.push_back(chunk.length);
    ++index_.chunks_;
    index_.grams_ += chunk.length;
  }
}

void IndexWriter::refuse(const FileState& file) {
  begin();
  set_content(file, kNoContent);
}

void IndexWriter::remove(const std::string& path) {
  begin();
  Statement old = index_.database_.prepare("SELECT content FROM files WHERE path = ?");
  if (!old.bind(path).step()) return;
  maybe_unused_.insert(old.number(0));
  index_.database_.prepare("DELETE FROM files WHERE path = ?").bind(path).run();
}

void IndexWriter::drop_unused_contents() {
  Statement users = index_.database_.prepare("SELECT 1 FROM files WHERE content = ?");
  for (const int64_t content : maybe_unused_) {
    if (!users.bind(content).step()) drop_content(content);
  }
  maybe_unused_.clear();
}

void IndexWriter::drop_content(int64_t content) {
  Database& database = index_.database_;
  Statement chunks =
      database.prepare("SELECT c.id FROM chunks c JOIN documents d ON c.document = d.id WHERE d.content = ?");
  chunks.bind(content);
  while (chunks.step()) {
    const auto chunk = static_cast<ChunkId>(chunks.number(0));
    if (chunk >= index_.lengths_.size() || index_.lengths_[chunk] == 0) continue;
    --index_.chunks_;
    index_.grams_ -= index_.lengths_[chunk];
    index_.lengths_[chunk] = 0;
    dead_.insert(chunk);
  }
  for (const char* table : {"chunks", "texts", "pages"}) {
    database
        .prepare(
            fmt::format("DELETE FROM {} WHERE document IN (SELECT id FROM documents WHERE content = ?)", table).c_str())
        .bind(content)
        .run();
  }
  database.prepare("DELETE FROM documents WHERE content = ?").bind(content).run();
  database.prepare("DELETE FROM contents WHERE id = ?").bind(content).run();
}

void IndexWriter::save_lengths(const Segment& segment) {
  index_.database_.prepare("UPDATE segments SET lengths = ? WHERE id = ?")
      .bind(bytes_of(std::span(index_.lengths_).subspan(segment.first, segment.count)), segment.id)
      .run();
}

void IndexWriter::write_segment() {
  const uint32_t count = index_.chunks_end() - builder_first_;
  if (count == 0) return;
  Database& database = index_.database_;
  database.prepare("INSERT INTO segments(first, count, lengths) VALUES(?, ?, ?)")
      .bind(int64_t{builder_first_}, int64_t{count},
            bytes_of(std::span(index_.lengths_).subspan(builder_first_, count)))
      .run();
  const int64_t id = database.last_row();
  Statement add = database.prepare("INSERT INTO blocks(segment, first, bytes) VALUES(?, ?, ?)");
  builder_.finish([&](Gram first, std::string_view block) { add.bind(id, static_cast<int64_t>(first), block).run(); });
  index_.segments_.push_back({id, builder_first_, count});
}

void IndexWriter::drop_segment(int64_t id) {
  index_.database_.prepare("DELETE FROM blocks WHERE segment = ?").bind(id).run();
  index_.database_.prepare("DELETE FROM segments WHERE id = ?").bind(id).run();
}

// Rewrites neighbouring segments as one, without the postings of chunks that are gone.
void IndexWriter::merge(size_t first, size_t count) {
  Database& database = index_.database_;
  struct Input {
    Statement blocks;
    std::string block;
    BlockReader reader;
    bool is_open = true;

    explicit Input(Statement statement) : blocks(std::move(statement)), reader(0, {}) { next(); }
    void next() {
      while (!reader.next()) {
        if (!blocks.step()) {
          is_open = false;
          return;
        }
        block = blocks.bytes(1);
        reader = BlockReader(static_cast<Gram>(blocks.number(0)), block);
      }
    }
  };
  std::vector<std::unique_ptr<Input>> inputs;
  for (size_t i = first; i < first + count; ++i) {
    Statement blocks = database.prepare("SELECT first, bytes FROM blocks WHERE segment = ? ORDER BY first");
    blocks.bind(index_.segments_[i].id);
    inputs.push_back(std::make_unique<Input>(std::move(blocks)));
  }
  Segment merged{0, index_.segments_[first].first, 0};
  const Segment& last = index_.segments_[first + count - 1];
  merged.count = last.first + last.count - merged.first;
  database.prepare("INSERT INTO segments(first, count) VALUES(?, ?)")
      .bind(int64_t{merged.first}, int64_t{merged.count})
      .run();
  merged.id = database.last_row();
  save_lengths(merged);
  Statement add = database.prepare("INSERT INTO blocks(segment, first, bytes) VALUES(?, ?, ?)");
  const EmitBlock emit = [&](Gram gram, std::string_view block) {
    add.bind(merged.id, static_cast<int64_t>(gram), block).run();
  };
  BlockWriter writer(emit);
  std::vector<Posting> postings;
  for (;;) {
    Gram gram = UINT64_MAX;
    for (const auto& input : inputs) {
      if (input->is_open) gram = std::min(gram, input->reader.gram());
    }
    if (gram == UINT64_MAX) break;
    postings.clear();
    for (const auto& input : inputs) {
      if (!input->is_open || input->reader.gram() != gram) continue;
      input->reader.read(index_.chunks_end(), postings);
      input->next();
    }
    std::erase_if(postings, [&](const Posting& posting) { return index_.lengths_[posting.chunk] == 0; });
    writer.add(gram, postings);
  }
  writer.finish();
  inputs.clear();
  for (size_t i = first; i < first + count; ++i) drop_segment(index_.segments_[i].id);
  const auto begin = index_.segments_.begin() + static_cast<std::ptrdiff_t>(first);
  *begin = merged;
  index_.segments_.erase(begin + 1, begin + static_cast<std::ptrdiff_t>(count));
}

// Saves what chunks are gone, and keeps segments few and mostly alive.
void IndexWriter::tidy() {
  std::vector<Segment>& segments = index_.segments_;
  for (size_t i = segments.size(); i-- > 0;) {
    const Segment segment = segments[i];
    const auto gone = dead_.lower_bound(segment.first);
    if (gone == dead_.end() || *gone >= segment.first + segment.count) continue;
    save_lengths(segment);
    const auto lengths = std::span(index_.lengths_).subspan(segment.first, segment.count);
    const auto dead = static_cast<uint32_t>(std::count(lengths.begin(), lengths.end(), 0u));
    if (dead == segment.count) {
      drop_segment(segment.id);
      segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (2 * dead > segment.count) {
      merge(i, 1);
    }
  }
  dead_.clear();
  while (segments.size() > kMostSegments) {
    size_t least = 0;
    const auto size = [&](size_t i) { return uint64_t{segments[i].count} + segments[i + 1].count; };
    for (size_t i = 1; i + 1 < segments.size(); ++i) {
      if (size(i) < size(least)) least = i;
    }
    merge(least, 2);
  }
}

void IndexWriter::commit() {
  if (!transaction_) return;
  drop_unused_contents();
  write_segment();
  tidy();
  transaction_->commit();
  transaction_.reset();
  texts_ = 0;
}

}  // namespace tinyllm::search
