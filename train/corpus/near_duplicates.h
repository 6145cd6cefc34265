#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

namespace tinyllm::corpus {

/// A document in 96 bytes, from which its Jaccard similarity with another one is estimated:
///   J(a, b) = |a ∩ b| / |a ∪ b|
/// over the sets of five consecutive letters, ignoring case, width, blanks and punctuation: two or three words of
/// Chinese, or one of English. Each byte is the low end of the smallest hash in one of 96 bins (b-bit minwise hashing,
/// Li and König 2010, over one permutation, Li, Owen and Zhang 2012; empty bins are filled as Shrivastava 2017 does).
/// A document with fewer than five letters has one element.
using MinHash = std::array<uint8_t, 96>;

/// The MinHash of a text in UTF-8. It does not depend on other documents, so any thread may compute it.
MinHash minhash(std::string_view text);

/// The estimate of J; its standard error is sqrt(J (1 - J) / 96), 0.04 at 0.8.
double similarity(const MinHash& a, const MinHash& b);

/// Stores the documents so far and finds one that resembles a new one. MinHashes are split into 96 / r bands of r
/// bytes. Two that agree in a whole band are compared. A pair of similarity J is compared with the probability
///   1 - (1 - J^r)^(96 / r)
/// and r is the largest for which that is at least 0.85 at the threshold. For 0.8, r is 8:
///   J            0.5    0.6    0.7    0.8    0.85   0.9    0.95
///   compared     0.05   0.18   0.51   0.89   0.98   0.999  1.000
/// A pair that is compared is a repetition when its estimate reaches the threshold. A document takes at most 196 bytes
/// for a threshold of 0.8 or more, and 363 for 0.5.
class NearDuplicates {
 public:
  /// Throws Error unless the threshold is 0.5 to 1.
  explicit NearDuplicates(double threshold = 0.8);

  /// The number of an earlier document that this one repeats, counted from 0 in the order of adding. If there is none,
  /// adds this one. The answer depends only on the documents and their order. Takes constant time: each band is
  /// compared with the first document that has its bytes.
  std::optional<size_t> find_or_add(const MinHash& document);

  size_t size() const { return documents_.size(); }
  size_t memory() const;  ///< Bytes.

 private:
  // Open addressing: the first document with certain bytes in a band, by its number, beside 8 bits of their hash.
  struct Table {
    std::vector<uint8_t> tags;
    std::vector<uint32_t> numbers;
    void resize(size_t size);
  };
  struct Place {
    size_t at;
    uint8_t tag;
  };

  Place find(const MinHash& document, size_t band) const;
  void put(size_t band, Place place, size_t number);
  void grow();

  double threshold_;
  size_t rows_ = 0;
  std::deque<MinHash> documents_;  // Never moved.
  std::vector<Table> tables_;      // One per band.
};

}  // namespace tinyllm::corpus
