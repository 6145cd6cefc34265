#include <tinyllm/runtime/search/question.h>
#include <tinyllm/runtime/search/ranking.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace tinyllm::search {
namespace {

auto find_posting(const Term& term, ChunkId chunk) {
  const auto found = std::lower_bound(term.postings.begin(), term.postings.end(), chunk,
                                      [](const Posting& posting, ChunkId id) { return posting.chunk < id; });
  return found != term.postings.end() && found->chunk == chunk ? found : term.postings.end();
}

// BM25 of the body alone, by the terms' postings of the chunk.
double body_score(const IndexFile& index, const std::vector<Term>& terms, ChunkId chunk) {
  const Bm25Options options;
  const double norm = options.k1 * (1 - options.b + options.b * index.length_of(chunk) / index.mean_length());
  double score = 0;
  for (const Term& term : terms) {
    const auto found = find_posting(term, chunk);
    if (!term.counts || found == term.postings.end()) continue;
    score += term.idf * found->body * (options.k1 + 1) / (found->body + norm);
  }
  return score;
}

// The terms that the body of a chunk has, by their postings.
uint64_t terms_of_body(const std::vector<Term>& terms, ChunkId chunk) {
  uint64_t mask = 0;
  for (size_t i = 0; i < terms.size(); ++i) {
    const auto found = find_posting(terms[i], chunk);
    if (found != terms[i].postings.end() && found->body > 0) mask |= uint64_t{1} << i;
  }
  return mask;
}

// Whether a chunk is the first of its document, where a term is defined.
bool is_first(IndexFile& index, ChunkId chunk, DocumentId document) {
  return index.length_of(chunk - 1) == 0 || index.chunk(chunk - 1).document != document;
}

// The terms of the chunks of the same document before and after a chunk.
uint64_t terms_beside(IndexFile& index, const std::vector<Term>& terms, ChunkId chunk, DocumentId document) {
  uint64_t mask = 0;
  for (const ChunkId other : {chunk - 1, chunk + 1}) {
    if (other >= index.chunks_end() || index.length_of(other) == 0) continue;
    if (index.chunk(other).document == document) mask |= terms_of_body(terms, other);
  }
  return mask;
}

struct Title {
  Match match;
  float share = 0;
};

// Adds the sentences and their features. Returns the terms of all of them; none is on the border of two.
uint64_t add_sentences(const Question& question, bool opens_document, Candidate& candidate) {
  candidate.sentences = sentences_of(candidate.text);
  std::vector<Match> matches;
  for (const Span& span : candidate.sentences) {
    matches.push_back(question.match(std::string_view(candidate.text).substr(span.begin, span.size())));
  }
  uint64_t terms = 0;
  for (size_t i = 0; i < matches.size(); ++i) {
    terms |= matches[i].terms;
    const Match& match = matches[i];
    const uint64_t before = i > 0 ? matches[i - 1].terms : 0;
    const uint64_t after = i + 1 < matches.size() ? matches[i + 1].terms : 0;
    Features& f = candidate.of_sentences.emplace_back();
    f = {question.coverage(match.terms),
         opens_document ? 1 / static_cast<float>(i + 1) : 0,
         question.coverage(match.terms | before),
         question.coverage(match.terms | after),
         match.run,
         match.has_wanted ? 1.0f : 0.0f,
         static_cast<float>(std::log1p(static_cast<double>(match.letters)) / 5),
         match.precision,
         0,  // Needs the other chunks.
         question.focus(match.terms)};
  }
  return terms;
}

}  // namespace

Analysis analyse(IndexFile& index, std::string_view text, std::optional<DocumentId> hidden) {
  const Found found = retrieve(index, text, kCandidates, {}, hidden);
  const Question question(text, found.terms);
  std::map<DocumentId, Title> titles;
  Analysis analysis;
  for (const Hit& hit : found.hits) {
    Candidate& candidate = analysis.candidates.emplace_back();
    candidate.id = hit.chunk;
    candidate.record = index.chunk(hit.chunk);
    const DocumentId document = candidate.record.document;
    candidate.text = index.text(document, candidate.record.offset, candidate.record.length);
    auto title = titles.find(document);
    if (title == titles.end()) {
      const std::string name = index.source(document).title;
      title = titles.emplace(document, Title{question.match(name), question.share_of(name)}).first;
    }
    const bool defines = question.wanted() == Wanted::definition && is_first(index, hit.chunk, document);
    const uint64_t body = add_sentences(question, defines, candidate);
    const uint64_t terms = body | title->second.match.terms | question.match(candidate.record.headings).terms;
    float sentence = 0, two = 0, wanted = 0, run = 0;
    for (const Features& f : candidate.of_sentences) {
      if (f[0] > sentence) wanted = f[5];
      sentence = std::max(sentence, f[0]);
      two = std::max(two, f[3]);
      run = std::max(run, f[4]);
    }
    if (defines) wanted = 1;
    const double most = std::max(found.most, 1e-9);
    candidate.features = {static_cast<float>(hit.score / most),
                          question.coverage(terms | terms_beside(index, found.terms, hit.chunk, document)),
                          static_cast<float>(body_score(index, found.terms, hit.chunk) / most),
                          question.coverage(terms),
                          question.coverage(title->second.match.terms),
                          title->second.share,
                          sentence,
                          two,
                          run,
                          wanted};
    candidate.rarest_missing = question.rarest_missing(terms);
  }
  return analysis;
}

}  // namespace tinyllm::search
