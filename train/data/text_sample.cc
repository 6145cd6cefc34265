#include <tinyllm/train/data/text_sample.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/documents.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr size_t kLargestBlock = 64 * 1024;
constexpr int64_t kHeldOut = 20;

// The first line that starts at `at` or behind it.
size_t line_start(std::string_view text, size_t at) {
  if (at == 0 || at >= text.size()) return std::min(at, text.size());
  const size_t end = text.find('\n', at - 1);
  return end == std::string_view::npos ? text.size() : end + 1;
}

std::string without_breaks(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, line_start(text, 1));
    if (!is_document_break(line)) plain += line;
    text.remove_prefix(line.size());
  }
  return plain;
}

}  // namespace

TextSample sample_text(const std::filesystem::path& corpus, int64_t bytes, uint64_t seed) {
  const MappedFile file(corpus);
  const std::string_view text = file.text();
  if (text.empty()) throw Error("{}: is empty, expected text", corpus.string());
  // A small corpus too has some blocks to hold out.
  const size_t block = std::clamp<size_t>(text.size() / 100, 1, kLargestBlock);
  const auto blocks = static_cast<int64_t>((text.size() + block - 1) / block);
  const int64_t wanted = std::clamp<int64_t>(bytes / static_cast<int64_t>(block), 1, blocks);

  TextSample sample;
  Random random(seed);
  for (int64_t i = 0; i < wanted; ++i) {
    const int64_t first = i * blocks / wanted;
    const int64_t drawn = first + random.below((i + 1) * blocks / wanted - first);
    // The lines that start in the block. Of one that is very long, only a part.
    const size_t begin = line_start(text, static_cast<size_t>(drawn) * block);
    const size_t end = line_start(text, (static_cast<size_t>(drawn) + 1) * block);
    std::string_view stretch = text.substr(begin, end > begin ? end - begin : 0);
    stretch = stretch.substr(0, character_cut(stretch, 4 * kLargestBlock));
    if (valid_utf8(stretch) != stretch.size()) check_utf8(text, corpus.string());
    std::string plain = without_breaks(stretch);
    if (plain.empty()) continue;
    (i % kHeldOut == kHeldOut - 1 ? sample.held_out : sample.learn).push_back(std::move(plain));
  }
  return sample;
}

}  // namespace tinyllm
