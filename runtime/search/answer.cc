#include <tinyllm/runtime/search/answer.h>

#include <tinyllm/runtime/search/ranking.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <cmath>

namespace tinyllm {

using namespace search;

struct DocumentSearch::State {
  IndexFile index;

  explicit State(const std::filesystem::path& path) : index(path, Database::Mode::read) {}

  Quote quote(const Candidate& candidate, Span span) {
    const Source source = index.source(candidate.record.document);
    Quote quote{candidate.text.substr(span.begin, span.size()),
                source.path,
                source.name,
                source.title,
                candidate.record.headings,
                0,
                0,
                candidate.record.offset + static_cast<int64_t>(span.begin),
                candidate.record.offset + static_cast<int64_t>(span.end)};
    quote.first_page = index.page_at(candidate.record.document, quote.start);
    quote.last_page = index.page_at(candidate.record.document, quote.end - 1);
    if (index.text(candidate.record.document, quote.start, quote.end - quote.start) != quote.text) {
      throw Error("{}: bytes {} to {} of {} are not what was quoted; build the index again",
                  index.database().path().string(), quote.start, quote.end, quote.path);
    }
    return quote;
  }
};

namespace {

constexpr size_t kMostQuotes = 3;
constexpr double kEnough = 0.8;  // Probability that one of the quotes answers, after which no more are added.
constexpr size_t kMostOfQuestion = 16 << 10;

// The first sentences, until one of them answers probably enough.
size_t count_of_quotes(const std::vector<RankedSentence>& sentences) {
  double sum = 0;
  for (const RankedSentence& each : sentences) sum += std::exp(each.score - sentences[0].score);
  double share = 0;
  size_t count = 0;
  while (count < std::min(kMostQuotes, sentences.size()) && share < kEnough) {
    share += std::exp(sentences[count++].score - sentences[0].score) / sum;
  }
  return count;
}

}  // namespace

DocumentSearch::DocumentSearch(const std::filesystem::path& index) : state_(std::make_unique<State>(index)) {}

DocumentSearch::~DocumentSearch() = default;

DocumentAnswer DocumentSearch::answer(std::string_view question) {
  const Transaction transaction(state_->index.database(), false);
  state_->index.refresh();
  const Ranking ranking = ranking_of(state_->index);
  question = question.substr(0, character_cut(question, kMostOfQuestion));
  const Analysis analysis = analyse(state_->index, question);
  const Ranked ranked = rank(analysis, ranking);
  DocumentAnswer answer;
  answer.probability = ranked.probability;
  answer.is_found = !ranked.sentences.empty() && ranked.probability >= ranking.threshold;
  if (answer.is_found) {
    const size_t count = count_of_quotes(ranked.sentences);
    for (size_t i = 0; i < count; ++i) {
      const RankedSentence& best = ranked.sentences[i];
      const Candidate& candidate = analysis.candidates[best.candidate];
      answer.quotes.push_back(state_->quote(candidate, candidate.sentences[best.sentence]));
    }
    return answer;
  }
  for (size_t i = 0; i < std::min(kMostQuotes, ranked.chunks.size()); ++i) {
    const Candidate& candidate = analysis.candidates[ranked.chunks[i].candidate];
    answer.nearest.push_back(state_->quote(candidate, {0, candidate.text.size()}));
  }
  return answer;
}

}  // namespace tinyllm
