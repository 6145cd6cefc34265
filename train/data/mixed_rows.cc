#include <tinyllm/train/data/mixed_rows.h>

#include <tinyllm/tensor/base/error.h>

#include <xxhash.h>

#include <algorithm>
#include <cmath>

namespace tinyllm {

MixedRows::MixedRows(std::vector<Part> parts) : parts_(std::move(parts)) {
  if (parts_.empty()) throw Error("mix: no data");
  double once = 0;  // Rows of an epoch per unit of weight.
  for (const Part& part : parts_) {
    if (!(part.weight > 0) || !std::isfinite(part.weight)) {
      throw Error("mix: {} has weight {}, expected a number above 0", part.name, part.weight);
    }
    if (part.rows->rows() == 0) throw Error("mix: {} has no rows to learn from", part.name);
    if (part.rows->length() != length()) {
      throw Error("mix: {} has rows of {} tokens, {} of {}", part.name, part.rows->length(), parts_[0].name, length());
    }
    once = std::max(once, static_cast<double>(part.rows->rows()) / part.weight);
  }
  constexpr double kMost = 0x1p40;
  double end = 0;
  for (const Part& part : parts_) {
    end += std::round(std::max(1.0, once * part.weight));
    if (end > kMost) throw Error("mix: the weights are too far apart: {} has {}", part.name, part.weight);
    ends_.push_back(static_cast<int64_t>(end));
  }
}

double MixedRows::share(size_t part) const {
  const int64_t begin = part == 0 ? 0 : ends_[part - 1];
  return static_cast<double>(ends_[part] - begin) / static_cast<double>(rows());
}

MixedRows::Place MixedRows::place_of(int64_t row) const {
  const auto part = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), row) - ends_.begin());
  const int64_t begin = part == 0 ? 0 : ends_[part - 1];
  return {part, (row - begin) % parts_[part].rows->rows()};
}

int64_t MixedRows::fill(Batch& batch, size_t at, int64_t row) const {
  const Place place = place_of(row);
  return parts_[place.part].rows->fill(batch, at, place.row);
}

std::vector<std::string> MixedRows::names_of(int64_t row) const {
  const Place place = place_of(row);
  std::vector<std::string> names = parts_[place.part].rows->names_of(place.row);
  for (std::string& name : names) name = parts_[place.part].name + ": " + name;
  return names;
}

uint64_t MixedRows::hash() const {
  uint64_t hash = 0;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const uint64_t part[] = {parts_[i].rows->hash(), static_cast<uint64_t>(ends_[i])};
    hash = XXH3_64bits_withSeed(part, sizeof part, hash);
  }
  return hash;
}

}  // namespace tinyllm
