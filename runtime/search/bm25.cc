#include <tinyllm/runtime/search/bm25.h>

#include <algorithm>
#include <cmath>

namespace tinyllm::search {
namespace {

// The grams of a question, the rarest first, with their postings. Looks only at counts before it has chosen.
std::vector<Term> terms_of(IndexFile& index, std::string_view question, size_t most) {
  struct Rarity {
    Gram gram;
    int64_t count;
  };
  std::vector<Rarity> grams;
  for (const Gram gram : question_grams(question)) grams.push_back({gram, index.count_postings(gram)});
  std::stable_sort(grams.begin(), grams.end(), [](const Rarity& a, const Rarity& b) { return a.count < b.count; });
  if (grams.size() > most) grams.resize(most);
  std::vector<Term> terms;
  for (const Rarity& each : grams) {
    Term& term = terms.emplace_back();
    term.gram = each.gram;
    index.read_postings(each.gram, term.postings);
  }
  return terms;
}

void hide(IndexFile& index, DocumentId document, std::vector<Term>& terms) {
  Statement chunks = index.database().prepare("SELECT id FROM chunks WHERE document = ? ORDER BY id");
  std::vector<ChunkId> hidden;
  chunks.bind(document);
  while (chunks.step()) hidden.push_back(static_cast<ChunkId>(chunks.number(0)));
  for (Term& term : terms) {
    std::erase_if(term.postings, [&](const Posting& posting) {
      return std::binary_search(hidden.begin(), hidden.end(), posting.chunk);
    });
  }
}

void weigh(const IndexFile& index, const Bm25Options& options, std::vector<Term>& terms) {
  const auto total = static_cast<double>(index.chunks());
  bool any = false;
  for (Term& term : terms) {
    const auto n = static_cast<double>(term.postings.size());
    term.idf = std::log(1 + (total - n + 0.5) / (n + 0.5));
    term.counts =
        std::ssize(term.postings) <= std::max(options.min_common, static_cast<int64_t>(options.max_fraction * total));
    any |= term.counts && !term.postings.empty();
  }
  if (any) return;
  for (Term& term : terms) term.counts = true;
}

}  // namespace

Found retrieve(IndexFile& index, std::string_view question, size_t limit, const Bm25Options& options,
               std::optional<DocumentId> hidden) {
  Found found;
  found.terms = terms_of(index, question, options.max_terms);
  if (hidden) hide(index, *hidden, found.terms);
  weigh(index, options, found.terms);
  std::vector<float> scores(index.chunks_end());
  std::vector<ChunkId> touched;
  const double mean = index.mean_length();
  for (const Term& term : found.terms) {
    if (!term.counts) continue;
    found.most += term.idf * (options.k1 + 1);
    for (const Posting& posting : term.postings) {
      const double f = posting.body + options.title_weight * posting.title + options.heading_weight * posting.headings;
      const double length = index.length_of(posting.chunk);
      const double score =
          term.idf * f * (options.k1 + 1) / (f + options.k1 * (1 - options.b + options.b * length / mean));
      if (scores[posting.chunk] == 0) touched.push_back(posting.chunk);
      scores[posting.chunk] += static_cast<float>(score);
    }
  }
  const auto better = [&](ChunkId a, ChunkId b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; };
  const size_t count = std::min(limit, touched.size());
  std::partial_sort(touched.begin(), touched.begin() + static_cast<std::ptrdiff_t>(count), touched.end(), better);
  for (size_t i = 0; i < count; ++i) found.hits.push_back({touched[i], scores[touched[i]]});
  return found;
}

}  // namespace tinyllm::search
