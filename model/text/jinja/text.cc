#include <tinyllm/model/text/jinja/text.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm::jinja {

void Text::append(std::string_view bytes, Origin origin) {
  if (bytes.empty()) return;
  if (bytes.size() > kMaxBytes - bytes_.size()) throw Error("makes a text of more than {} bytes", kMaxBytes);
  bytes_ += bytes;
  if (!runs_.empty() && runs_.back().origin == origin) {
    runs_.back().end = bytes_.size();
  } else {
    runs_.push_back({bytes_.size(), origin});
  }
}

void Text::append(const Text& other, size_t begin, size_t end) {
  if (begin >= end) return;
  for (size_t run = other.run_at(begin); begin < end; ++run) {
    const size_t stop = std::min(end, other.runs_[run].end);
    append(other.bytes().substr(begin, stop - begin), other.runs_[run].origin);
    begin = stop;
  }
}

Text Text::slice(size_t begin, size_t end) const {
  Text part;
  part.append(*this, begin, end);
  return part;
}

void Text::learn() {
  Text learned;
  size_t begin = 0;
  for (const Run& run : runs_) {
    learned.append(bytes().substr(begin, run.end - begin), {run.origin.source, true});
    begin = run.end;
  }
  *this = std::move(learned);
}

size_t Text::run_at(size_t byte) const {
  const auto run =
      std::upper_bound(runs_.begin(), runs_.end(), byte, [](size_t at, const Run& r) { return at < r.end; });
  return static_cast<size_t>(run - runs_.begin());
}

}  // namespace tinyllm::jinja
