#include <tinyllm/train/data/text_dataset.h>

#include <tinyllm/tensor/base/checked.h>

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tinyllm {
namespace {

constexpr int64_t kSpan = 4096;
constexpr int64_t kFewDocuments = 20;  // With fewer validation documents than this, spans are used instead.

}  // namespace

TextDataset::TextDataset(std::shared_ptr<const TokenFile> file, const TextOptions& options)
    : file_(std::move(file)), options_(options) {
  if (options_.length < 1) throw Error("text dataset: rows of {} tokens, expected 1 or more", options_.length);
  if (options_.part == TextPart::all) {
    add_run(0, file_->size());
  } else {
    const int64_t every = options_.validation_every;
    if (every < 2) throw Error("text dataset: one of {} for validation, expected one of 2 or more", every);
    if (file_->size() / every < 2) {
      throw Error("{}: {} tokens, too few to keep one of {} for validation", file_->path().string(), file_->size(),
                  every);
    }
    const bool validation = options_.part == TextPart::validation;
    if (file_->documents() / every < kFewDocuments) {
      add_spans(validation);
    } else {
      add_documents(validation);
    }
  }
  count_rows();
}

// Adds the next tokens of this part. With DocumentEnd::row each document is a run.
void TextDataset::add_run(int64_t begin, int64_t end) {
  if (begin == end) return;
  if (options_.document_end != DocumentEnd::row) {
    if (!runs_.empty() && runs_.back().end == begin) {
      runs_.back().end = end;
    } else {
      runs_.push_back({begin, end, 0});
    }
    return;
  }
  for (int64_t document = file_->document_of(begin); begin < end; ++document) {
    const int64_t document_end = std::min(end, file_->document(document).end);
    runs_.push_back({begin, document_end, 0});
    begin = document_end;
  }
}

void TextDataset::add_documents(bool validation) {
  const auto every = static_cast<uint64_t>(options_.validation_every);
  for (int64_t i = 0; i < file_->documents(); ++i) {
    const bool is_validation = XXH3_64bits(&i, sizeof(i)) % every == 0;
    const auto [begin, end] = file_->document(i);
    if (is_validation == validation) add_run(begin, end);
  }
}

void TextDataset::add_spans(bool validation) {
  const int64_t size = file_->size();
  const int64_t span = std::min(size / options_.validation_every, kSpan);
  const int64_t period = span * options_.validation_every;
  for (int64_t begin = 0; begin < size; begin += period) {
    const int64_t gap = std::min(begin + period - span, size);
    if (validation) {
      add_run(gap, std::min(gap + span, size));
    } else {
      add_run(begin, gap);
    }
  }
}

void TextDataset::count_rows() {
  const bool in_rows = options_.document_end == DocumentEnd::row;
  for (Run& run : runs_) {
    const int64_t size = run.end - run.begin;
    run.first = in_rows ? rows_ : tokens_;
    tokens_ += size;
    // The last token is a target only.
    if (in_rows) rows_ += ceil_div(size - 1, options_.length);
  }
  if (!in_rows && tokens_ > 0) rows_ = ceil_div(tokens_ - 1, options_.length);
}

const TextDataset::Run& TextDataset::run_of(int64_t first) const {
  const auto after =
      std::upper_bound(runs_.begin(), runs_.end(), first, [](int64_t f, const Run& run) { return f < run.first; });
  return *(after - 1);
}

std::vector<TextDataset::Piece> TextDataset::pieces_of(int64_t row) const {
  if (options_.document_end == DocumentEnd::row) {
    const Run& run = run_of(row);
    const int64_t from = run.begin + (row - run.first) * length();
    return {{0, from, std::min(length(), run.end - 1 - from), run.end}};
  }
  std::vector<Piece> pieces;
  int64_t place = 0;
  const int64_t first = row * length();
  for (const Run* run = &run_of(first); run != runs_.data() + runs_.size() && place < length(); ++run) {
    int64_t from = run->begin + first + place - run->first;
    while (from < run->end && place < length()) {
      int64_t end = run->end;
      if (options_.document_end == DocumentEnd::attention)
        end = std::min(end, file_->document(file_->document_of(from)).end);
      const int64_t count = std::min(length() - place, end - from);
      pieces.push_back({place, from, count, end});
      from += count;
      place += count;
    }
  }
  return pieces;
}

// Each piece is a sample of its own.
int64_t TextDataset::fill(Batch& batch, size_t at, int64_t row) const {
  int64_t used = 0;
  for (const auto& [place, from, count, end] : pieces_of(row)) {
    const size_t begin = at + static_cast<size_t>(place);
    file_->tokens(from, count, batch.tokens.data() + begin);
    file_->tokens(from + 1, std::min(count, end - from - 1), batch.targets.data() + begin);
    for (int64_t i = 0; i < count; ++i) {
      batch.positions[begin + static_cast<size_t>(i)] = static_cast<int32_t>(i);
      batch.starts[begin + static_cast<size_t>(i)] = static_cast<int32_t>(place);
    }
    used = place + count;
  }
  return used;
}

std::vector<std::string> TextDataset::names_of(int64_t row) const {
  std::vector<std::string> names;
  for (const Piece& piece : pieces_of(row)) {
    const int64_t last = file_->document_of(piece.from + piece.count - 1);
    for (int64_t document = file_->document_of(piece.from); document <= last; ++document) {
      names.push_back(fmt::format("document {}", document));
    }
  }
  return names;
}

uint64_t TextDataset::hash() const {
  const std::array<uint64_t, 5> all = {
      file_->checksum(), static_cast<uint64_t>(options_.length), static_cast<uint64_t>(options_.document_end),
      static_cast<uint64_t>(options_.part), static_cast<uint64_t>(options_.validation_every)};
  return XXH3_64bits(all.data(), sizeof(all));
}

}  // namespace tinyllm
