#include <tinyllm/train/data/packed_dataset.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/train/data/documents.h>

#include <xxhash.h>

#include <algorithm>
#include <map>
#include <utility>

namespace tinyllm {

Dataset Dataset::of_samples(const std::vector<Sample>& samples, int64_t length, int32_t pad) {
  Dataset data(length, pad);
  PackReport& report = data.report_;
  std::vector<Piece> pieces;
  for (const Sample& sample : samples) {
    // The last token is a target only.
    const size_t whole = sample.tokens.empty() ? 0 : sample.tokens.size() - 1;
    const size_t used = std::min(whole, static_cast<size_t>(length));
    Piece piece;
    piece.sample = report.samples++;
    piece.tokens.assign(sample.tokens.begin(), sample.tokens.begin() + static_cast<std::ptrdiff_t>(used));
    bool is_learned = false;
    for (size_t i = 0; i < used; ++i) {
      piece.targets.push_back(sample.learned[i + 1] ? sample.tokens[i + 1] : kIgnore);
      is_learned |= sample.learned[i + 1];
    }
    const bool is_cut = used < whole;
    report.truncated += is_cut;
    report.dropped += !is_learned;
    report.lost_tokens += static_cast<int64_t>(is_learned ? whole - used : whole);
    if (is_learned) pieces.push_back(std::move(piece));
  }
  data.pack(std::move(pieces));
  return data;
}

Dataset Dataset::of_texts(const std::vector<std::vector<int32_t>>& texts, int64_t length, int32_t pad) {
  Dataset data(length, pad);
  std::vector<Piece> pieces;
  for (const std::vector<int32_t>& text : texts) {
    const int64_t sample = data.report_.samples++;
    for (size_t from = 0; from + 1 < text.size(); from += static_cast<size_t>(length)) {
      const auto begin = text.begin() + static_cast<std::ptrdiff_t>(from);
      const auto count = std::min<std::ptrdiff_t>(length, text.end() - begin - 1);
      pieces.push_back({sample, {begin, begin + count}, {begin + 1, begin + count + 1}});
    }
  }
  data.pack(std::move(pieces));
  return data;
}

// Best fit in the given order: each piece goes into the row that has the least room left after it. Longest first would
// need less padding. But pieces of similar length are often of one kind, and the validation loss falls more slowly than
// with mixed rows.
void Dataset::pack(std::vector<Piece> pieces) {
  std::multimap<int64_t, size_t> open;  // Rows by the room that they have.
  for (Piece& piece : pieces) {
    const auto size = static_cast<int64_t>(piece.tokens.size());
    report_.tokens += size;
    report_.learned_tokens += size - std::count(piece.targets.begin(), piece.targets.end(), kIgnore);
    auto fits = open.lower_bound(size);
    if (fits == open.end()) {
      fits = open.emplace(length_, rows_.size());
      rows_.emplace_back();
    }
    const auto [room, row] = *fits;
    open.erase(fits);
    rows_[row].push_back(std::move(piece));
    if (room > size) open.emplace(room - size, row);
  }
  report_.rows = rows();
  report_.places = rows() * length_;
}

int64_t Dataset::fill(Batch& batch, size_t at, int64_t row) const {
  size_t place = 0;
  for (const Piece& piece : rows_[static_cast<size_t>(row)]) {
    for (size_t i = 0; i < piece.tokens.size(); ++i) {
      const size_t to = at + place + i;
      batch.tokens[to] = piece.tokens[i];
      batch.targets[to] = piece.targets[i];
      batch.positions[to] = static_cast<int32_t>(i);
      batch.starts[to] = static_cast<int32_t>(place);
    }
    place += piece.tokens.size();
  }
  return static_cast<int64_t>(place);
}

std::vector<std::string> Dataset::names_of(int64_t row) const {
  std::vector<std::string> names;
  for (const Piece& piece : rows_[static_cast<size_t>(row)]) names.push_back(fmt::format("sample {}", piece.sample));
  return names;
}

uint64_t Dataset::hash() const {
  uint64_t hash = static_cast<uint64_t>(length_);
  for (const Row& row : rows_) {
    for (const Piece& piece : row) {
      hash = XXH3_64bits_withSeed(piece.tokens.data(), piece.tokens.size() * sizeof(int32_t), hash);
      hash = XXH3_64bits_withSeed(piece.targets.data(), piece.targets.size() * sizeof(int32_t), hash);
    }
  }
  return hash;
}

namespace {

// Cuts a text into spans of whole lines with at least `span` bytes each. A shorter rest is added to the last span.
std::vector<std::string_view> spans_of(std::string_view text, size_t span) {
  std::vector<std::string_view> spans;
  while (!text.empty()) {
    const size_t line_end = text.find('\n', std::min(span, text.size()) - 1);
    const bool is_last = line_end == std::string_view::npos || text.size() - (line_end + 1) < span;
    spans.push_back(text.substr(0, is_last ? text.size() : line_end + 1));
    text.remove_prefix(spans.back().size());
  }
  return spans;
}

// Collects texts. Consecutive lines of one document make one text.
class Texts {
 public:
  void add(std::string_view lines) {
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, std::min(lines.find('\n'), lines.size() - 1) + 1);
      lines.remove_prefix(line.size());
      if (is_document_break(line)) {
        end();
        continue;
      }
      if (!std::exchange(is_open_, true)) texts_.emplace_back();
      texts_.back() += line;
    }
  }
  void end() { is_open_ = false; }
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  std::vector<std::string> texts_;
  bool is_open_ = false;
};

}  // namespace

TextSplit split_text(std::string_view text) {
  constexpr size_t kSpan = 4096;
  constexpr size_t kEvery = 20;
  if (text.find_first_not_of(" \t\r\n\f") == std::string_view::npos) throw Error("corpus: holds no text");
  // A short text has spans of a twentieth of its size. If long lines leave fewer than 20 spans, the last one is for
  // validation.
  const std::vector<std::string_view> spans = spans_of(text, std::clamp<size_t>(text.size() / kEvery, 1, kSpan));
  const size_t every = std::min(kEvery, spans.size());
  Texts train, validation;
  for (size_t i = 0; i < spans.size(); ++i) {
    const bool is_validation = i % every == every - 1;
    (is_validation ? validation : train).add(spans[i]);
    (is_validation ? train : validation).end();
  }
  TextSplit split{train.take(), validation.take()};
  if (split.train.empty() || split.validation.empty())
    throw Error("corpus: {} bytes, too few to split into training and validation", text.size());
  return split;
}

}  // namespace tinyllm
