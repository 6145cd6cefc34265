#include <tinyllm/train/data/text_sample.h>

#include <tinyllm/tensor/base/checked.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/documents.h>

#include <xxhash.h>

#include <algorithm>
#include <cmath>

namespace tinyllm {
namespace {

constexpr int64_t kChunks = 4000;
constexpr int64_t kMinChunk = 128, kMaxChunk = 64 * 1024;
constexpr size_t kValidationEvery = 20;

// Where the chunk of `size` bytes at `at` begins: with the first line that starts in it, or else with a character. The
// next chunk begins where this one ends, so that all chunks together are the text.
size_t chunk_start(std::string_view text, size_t at, size_t size) {
  if (at == 0 || at >= text.size()) return std::min(at, text.size());
  const size_t line_end = text.substr(at - 1, size).find('\n');
  return line_end == std::string_view::npos ? character_cut(text, at) : at + line_end;
}

std::string without_breaks(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    if (!is_document_break(line)) plain += line;
    text.remove_prefix(line.size());
  }
  return plain;
}

// Appends about `bytes` of a text in chunks.
void draw_chunks(std::string_view text, const std::string& name, int64_t bytes, int64_t chunk, uint64_t seed,
                 std::vector<std::string>& chunks) {
  const int64_t all = ceil_div(static_cast<int64_t>(text.size()), chunk);
  const int64_t wanted = std::clamp<int64_t>(bytes / chunk, 1, all);
  const auto size = static_cast<size_t>(chunk);
  Random random(seed);
  for (int64_t i = 0; i < wanted; ++i) {
    const int64_t first = i * all / wanted;
    const auto at = static_cast<size_t>(first + random.below((i + 1) * all / wanted - first)) * size;
    const size_t begin = chunk_start(text, at, size), end = chunk_start(text, at + size, size);
    const std::string_view drawn = text.substr(begin, end > begin ? end - begin : 0);
    if (valid_utf8(drawn) != drawn.size()) check_utf8(text, name);
    std::string plain = without_breaks(drawn);
    if (!plain.empty()) chunks.push_back(std::move(plain));
  }
}

}  // namespace

TextSample sample_texts(std::span<const std::filesystem::path> files, int64_t bytes, uint64_t seed) {
  double total = 0;
  for (const std::filesystem::path& path : files) {
    const size_t size = MappedFile(path).bytes().size();
    if (size == 0) throw Error("{}: is empty, expected text", path.string());
    total += static_cast<double>(size);
  }
  const double fraction = std::min(1.0, static_cast<double>(bytes) / std::max(total, 1.0));
  const int64_t chunk = std::clamp(static_cast<int64_t>(fraction * total) / kChunks, kMinChunk, kMaxChunk);
  std::vector<std::string> chunks;
  for (const std::filesystem::path& path : files) {
    const MappedFile file(path);
    const double share = std::ceil(fraction * static_cast<double>(file.bytes().size()) / static_cast<double>(chunk));
    draw_chunks(file.text(), path.string(), static_cast<int64_t>(share) * chunk, chunk, seed, chunks);
  }

  // Sorted by hash: an order that depends only on the texts. Equal chunks are neighbours, and stay in one list.
  const auto hash = [](const std::string& text) { return XXH3_64bits(text.data(), text.size()); };
  std::sort(chunks.begin(), chunks.end(), [&](const std::string& a, const std::string& b) {
    const uint64_t left = hash(a), right = hash(b);
    return left != right ? left < right : a < b;
  });
  size_t count = chunks.size() < 2 ? 0 : std::max<size_t>(1, chunks.size() / kValidationEvery);
  while (count > 0 && count < chunks.size() && chunks[count] == chunks[count - 1]) ++count;
  if (count == chunks.size()) count = 0;
  TextSample sample;
  sample.validation.assign(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(count));
  sample.learn.assign(chunks.begin() + static_cast<std::ptrdiff_t>(count), chunks.end());
  return sample;
}

}  // namespace tinyllm
