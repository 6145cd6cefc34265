#pragma once

#include <tinyllm/runtime/search/index_file.h>

#include <optional>
#include <string_view>
#include <vector>

namespace tinyllm::search {

/// How chunks are scored. f counts a gram in a chunk, title_weight times in its title and heading_weight times in its
/// headings; |c| is the number of all grams of the chunk:
///   idf(g) = ln(1 + (N - n(g) + 0.5) / (n(g) + 0.5))
///   score  = sum over g of idf(g) f (k1 + 1) / (f + k1 (1 - b + b |c| / mean |c|))
/// Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; fields as in
/// Robertson, Zaragoza, Taylor, "Simple BM25 Extension to Multiple Weighted Fields", 2004.
struct Bm25Options {
  double k1 = 1.2;
  double b = 0.75;
  double title_weight = 3;
  double heading_weight = 2;
  size_t max_terms = 64;      ///< The rarest grams of a question that count.
  double max_fraction = 0.2;  ///< Grams in more than this fraction of chunks do not count, unless all are.
  int64_t min_common = 50;    ///< Grams in fewer chunks than this are never too common.
};

/// A gram of a question.
struct Term {
  Gram gram = 0;
  double idf = 0;
  bool counts = true;  ///< Not too common.
  std::vector<Posting> postings;
};

struct Hit {
  ChunkId chunk = 0;
  float score = 0;
};

struct Found {
  std::vector<Term> terms;  ///< At most 64, the rarest first.
  std::vector<Hit> hits;    ///< The best first; of equal ones the older chunk.
  double most = 0;          ///< What no score can exceed: the sum of idf times k1 + 1.
};

/// The `limit` best chunks. `hidden` leaves out a document, as if it were not in the index.
Found retrieve(IndexFile& index, std::string_view question, size_t limit, const Bm25Options& options = {},
               std::optional<DocumentId> hidden = {});

}  // namespace tinyllm::search
