#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/corpus/near_duplicates.h>

#include <unicode/uchar.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>

namespace tinyllm::corpus {
namespace {

constexpr size_t kBins = std::tuple_size_v<MinHash>;
constexpr size_t kFewestRows = 3;
constexpr uint32_t kEmpty = std::numeric_limits<uint32_t>::max();
constexpr uint8_t kFree = 0;

constexpr auto kAscii = [] {
  std::array<uint8_t, 128> letters{};  // 0: ignored.
  for (uint8_t c = '0'; c <= '9'; ++c) letters[c] = c;
  for (uint8_t c = 'a'; c <= 'z'; ++c) letters[c] = letters[c ^ 0x20U] = c;
  return letters;
}();

// The letter that a character counts as; 0 when it is ignored.
uint64_t letter(char32_t c) {
  if (c >= 0x3400 && c <= 0x9FFF) return c;
  if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;  // Full width.
  if (c < 0x80) return kAscii[c];
  const auto code = static_cast<UChar32>(c);
  return u_isalnum(code) != 0 ? static_cast<uint64_t>(u_foldCase(code, U_FOLD_CASE_DEFAULT)) : 0;
}

// The last step of MurmurHash3 (Appleby), shortened.
uint64_t mix(uint64_t x) {
  x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD;
  return x ^ x >> 29;
}

// The smallest hash in each bin, where the upper half of a hash says the bin.
class Bins {
 public:
  Bins() { least_.fill(kEmpty); }

  void add(uint64_t shingle) {
    const uint64_t hash = mix(shingle);
    uint32_t& least = least_[(hash >> 32) * kBins >> 32];
    least = std::min(least, static_cast<uint32_t>(hash));
  }

  // An empty bin copies another one. The order of trying them is the same for all documents.
  MinHash hash() const {
    MinHash hash;
    for (size_t bin = 0; bin < kBins; ++bin) {
      size_t from = bin;
      for (uint64_t attempt = 1; least_[from] == kEmpty; ++attempt) {
        from = (mix(bin << 32 | attempt) >> 32) * kBins >> 32;
      }
      hash[bin] = static_cast<uint8_t>(least_[from]);
    }
    return hash;
  }

 private:
  std::array<uint32_t, kBins> least_;
};

// A polynomial of the last five letters, kept up to date with each.
class Shingle {
 public:
  static constexpr size_t kLetters = 5;

  uint64_t push(uint64_t letter) {
    uint64_t& oldest = last_[count_++ % kLetters];
    value_ = value_ * kBase + letter - oldest * kPower;
    oldest = letter;
    return value_;
  }
  size_t count() const { return count_; }
  uint64_t value() const { return value_; }

 private:
  static constexpr uint64_t kBase = 0x9E3779B97F4A7C15;
  static constexpr uint64_t kPower = kBase * kBase * kBase * kBase * kBase;
  std::array<uint64_t, kLetters> last_{};
  size_t count_ = 0;
  uint64_t value_ = 0;
};

double compared(double similarity, size_t rows) { return 1 - std::pow(1 - std::pow(similarity, rows), kBins / rows); }

}  // namespace

MinHash minhash(std::string_view text) {
  Bins bins;
  Shingle shingle;
  for (size_t at = 0; at < text.size();) {
    const uint64_t next = letter(next_character(text, at));
    if (next == 0) continue;
    shingle.push(next);
    if (shingle.count() >= Shingle::kLetters) bins.add(shingle.value());
  }
  if (shingle.count() < Shingle::kLetters) bins.add(shingle.value());
  return bins.hash();
}

double similarity(const MinHash& a, const MinHash& b) {
  int equal = 0;
  for (size_t i = 0; i < kBins; ++i) equal += a[i] == b[i] ? 1 : 0;
  constexpr double kByChance = 1.0 / 256;
  return std::max(0.0, (static_cast<double>(equal) / kBins - kByChance) / (1 - kByChance));
}

NearDuplicates::NearDuplicates(double threshold) : threshold_(threshold) {
  if (!(threshold >= 0.5 && threshold <= 1)) {
    throw Error("near duplicates: the threshold is {}, expected 0.5 to 1", threshold);
  }
  for (const size_t rows : {kFewestRows, size_t{4}, size_t{6}, size_t{8}, size_t{12}, size_t{16}}) {
    if (compared(threshold, rows) >= 0.85) rows_ = rows;
  }
  tables_.resize(kBins / rows_);
  for (Table& table : tables_) table.resize(1023);
}

void NearDuplicates::Table::resize(size_t size) {
  tags = std::vector<uint8_t>(size);
  numbers = std::vector<uint32_t>(size);
}

// The slot of the first document with these bytes in this band, or the free slot for it.
NearDuplicates::Place NearDuplicates::find(const MinHash& document, size_t band) const {
  const Table& table = tables_[band];
  const uint8_t* bytes = document.data() + band * rows_;
  const uint64_t hash = XXH3_64bits(bytes, rows_);
  const auto tag = static_cast<uint8_t>(hash | 1);
  size_t at = (hash >> 32) * table.tags.size() >> 32;
  while (table.tags[at] != kFree) {
    if (table.tags[at] == tag) {
      const MinHash& other = documents_[table.numbers[at]];
      if (std::memcmp(other.data() + band * rows_, bytes, rows_) == 0) break;
    }
    if (++at == table.tags.size()) at = 0;
  }
  return {at, tag};
}

void NearDuplicates::put(size_t band, Place place, size_t number) {
  if (tables_[band].tags[place.at] != kFree) return;
  tables_[band].tags[place.at] = place.tag;
  tables_[band].numbers[place.at] = static_cast<uint32_t>(number);
}

std::optional<size_t> NearDuplicates::find_or_add(const MinHash& document) {
  if (documents_.size() >= tables_[0].tags.size() / 5 * 4) grow();
  size_t found = documents_.size();
  std::array<Place, kBins / kFewestRows> places;
  for (size_t band = 0; band < tables_.size(); ++band) {
    places[band] = find(document, band);
    if (tables_[band].tags[places[band].at] == kFree) continue;
    const size_t number = tables_[band].numbers[places[band].at];
    if (number < found && similarity(documents_[number], document) >= threshold_) found = number;
  }
  if (found < documents_.size()) return found;
  for (size_t band = 0; band < tables_.size(); ++band) put(band, places[band], documents_.size());
  documents_.push_back(document);
  return std::nullopt;
}

// Grows by a third, one table at a time, to waste little memory. Goes through the documents in the order of memory.
void NearDuplicates::grow() {
  for (size_t band = 0; band < tables_.size(); ++band) {
    tables_[band].resize(tables_[band].tags.size() / 3 * 4);
    for (size_t number = 0; number < documents_.size(); ++number) {
      put(band, find(documents_[number], band), number);
    }
  }
}

size_t NearDuplicates::memory() const {
  return documents_.size() * sizeof(MinHash) + tables_.size() * tables_[0].tags.size() * (1 + sizeof(uint32_t));
}

}  // namespace tinyllm::corpus
