#include <tinyllm/runtime/search/postings.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <limits>

namespace tinyllm::search {
namespace {

constexpr size_t kBlock = 16 << 10;
constexpr size_t kFirstSlots = 1 << 12;

void append_number(std::string& bytes, uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  bytes += static_cast<char>(number);
}

[[noreturn]] void damaged() { throw Error("index: a block of postings is damaged; build the index again"); }

uint8_t take_byte(std::string_view& bytes) {
  if (bytes.empty()) damaged();
  const auto byte = static_cast<uint8_t>(bytes[0]);
  bytes.remove_prefix(1);
  return byte;
}

uint64_t take_number(std::string_view& bytes) {
  uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = take_byte(bytes);
    number |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return number;
  }
  damaged();
}

void append_posting(std::string& bytes, const Posting& posting, ChunkId last) {
  const bool is_plain = posting.body == 1 && posting.title == 0 && posting.headings == 0;
  append_number(bytes, uint64_t{posting.chunk - last} << 1 | (is_plain ? 1 : 0));
  if (is_plain) return;
  bytes += static_cast<char>(posting.body);
  bytes += static_cast<char>(std::min<int>(posting.title, 15) << 4 | std::min<int>(posting.headings, 15));
}

}  // namespace

SegmentBuilder::SegmentBuilder() : slots_(kFirstSlots) {}

void SegmentBuilder::grow() {
  slots_.assign(slots_.size() * 2, {});
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < entries_.size(); ++i) {
    size_t slot = first_slot(entries_[i].gram);
    while (slots_[slot].entry != 0) slot = (slot + 1) & mask;
    slots_[slot] = {entries_[i].gram, static_cast<uint32_t>(i + 1)};
  }
}

SegmentBuilder::Entry& SegmentBuilder::entry_of(Gram gram) {
  if (2 * entries_.size() >= slots_.size()) grow();
  const size_t mask = slots_.size() - 1;
  size_t slot = first_slot(gram);
  for (; slots_[slot].entry != 0; slot = (slot + 1) & mask) {
    if (slots_[slot].gram == gram) return entries_[slots_[slot].entry - 1];
  }
  Entry& entry = entries_.emplace_back();
  entry.gram = gram;
  slots_[slot] = {gram, static_cast<uint32_t>(entries_.size())};
  return entry;
}

void SegmentBuilder::add(Gram gram, const Posting& posting) {
  Entry& entry = entry_of(gram);
  const size_t before = entry.postings.size();
  append_posting(entry.postings, posting, entry.last);
  size_ += entry.postings.size() - before;
  entry.last = posting.chunk;
  ++entry.count;
}

void SegmentBuilder::finish(const EmitBlock& emit) {
  std::vector<Entry> entries = std::move(entries_);
  *this = SegmentBuilder();
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.gram < b.gram; });
  BlockWriter writer(emit);
  for (const Entry& entry : entries) writer.add(entry.gram, entry.count, entry.postings);
  writer.finish();
}

bool BlockReader::next() {
  if (rest_.empty()) return false;
  const uint64_t step = take_number(rest_);
  if ((step == 0) == begun_ || step > std::numeric_limits<Gram>::max() - gram_) damaged();
  gram_ += step;
  const uint64_t count = take_number(rest_);
  const uint64_t size = take_number(rest_);
  if (size > rest_.size() || count > size) damaged();  // A posting has one byte at least.
  count_ = static_cast<uint32_t>(count);
  postings_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
  begun_ = true;
  return true;
}

void BlockReader::read(uint32_t chunks, std::vector<Posting>& postings) const {
  std::string_view bytes = postings_;
  uint64_t chunk = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    const uint64_t number = take_number(bytes);
    if (i > 0 && number >> 1 == 0) damaged();
    chunk += number >> 1;
    if (chunk >= chunks) damaged();
    Posting posting{static_cast<ChunkId>(chunk), 1, 0, 0};
    if ((number & 1) == 0) {
      posting.body = take_byte(bytes);
      const uint8_t others = take_byte(bytes);
      posting.title = others >> 4;
      posting.headings = others & 15;
    }
    postings.push_back(posting);
  }
  if (!bytes.empty()) damaged();
}

void BlockWriter::add(Gram gram, uint32_t count, std::string_view postings) {
  if (block_.empty()) first_ = last_ = gram;
  append_number(block_, gram - last_);
  append_number(block_, count);
  append_number(block_, postings.size());
  block_ += postings;
  last_ = gram;
  if (block_.size() >= kBlock) finish();
}

void BlockWriter::add(Gram gram, const std::vector<Posting>& postings) {
  if (postings.empty()) return;
  std::string bytes;
  ChunkId last = 0;
  for (const Posting& posting : postings) {
    append_posting(bytes, posting, last);
    last = posting.chunk;
  }
  add(gram, static_cast<uint32_t>(postings.size()), bytes);
}

void BlockWriter::finish() {
  if (!block_.empty()) emit_(first_, block_);
  block_.clear();
}

}  // namespace tinyllm::search
