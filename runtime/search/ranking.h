#pragma once

#include <tinyllm/runtime/search/bm25.h>
#include <tinyllm/runtime/search/linear_model.h>
#include <tinyllm/runtime/search/sentences.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::search {

/// What the features of a chunk are, in order.
inline constexpr std::array<const char*, kFeatures> kChunkFeatures = {
    "bm25",     "with_neighbours", "body_bm25", "coverage", "title_coverage", "title_in_question",
    "sentence", "two_sentences",   "run",       "wanted"};
/// What the features of a sentence are, in order.
inline constexpr std::array<const char*, kFeatures> kSentenceFeatures = {
    "coverage", "opening", "with_before", "with_after", "run", "wanted", "length", "precision", "chunk", "focus"};
/// What the features of the best chunk are that tell whether the documents have an answer, in order.
inline constexpr std::array<const char*, kFeatures> kAnswerFeatures = {
    "bm25",     "margin", "coverage", "title_coverage", "title_in_question",
    "sentence", "run",    "wanted",   "rarest_missing", "best_sentence"};

/// How the best chunks and sentences are chosen, and when there is an answer at all.
struct Ranking {
  Weights chunks{};
  Weights sentences{};
  Logistic answer;
  double threshold = 0.5;  ///< Below this probability the documents do not say.
};

/// Learned by `rag eval --folds 5 --keep` from the 3219 questions of CMRC 2018 dev about 848 passages of Chinese
/// Wikipedia, in chunks of 256 characters, see docs/documents.md.
const Ranking& default_ranking();
/// As JSON, to be kept in an index.
std::string to_json(const Ranking& ranking);
/// Throws Error that begins with `what` when it is not one.
Ranking parse_ranking(std::string_view json, std::string_view what);
/// The ranking that an index keeps, or the default.
Ranking ranking_of(IndexFile& index);
void keep_ranking(IndexFile& index, const Ranking& ranking);

/// A chunk that may answer a question, with what it has in common with it.
struct Candidate {
  ChunkId id = 0;
  ChunkRecord record;
  std::string text;
  Features features{};
  float rarest_missing = 0;            ///< See `Question`.
  std::vector<Span> sentences;         ///< Of the text.
  std::vector<Features> of_sentences;  ///< Those that need no other chunk.
};

/// What was found for a question, before anything is ranked: the best chunks by BM25 first.
struct Analysis {
  std::vector<Candidate> candidates;
};

inline constexpr size_t kCandidates = 30;

/// `hidden` leaves out a document, as if it were not in the index. Call it within a transaction.
Analysis analyse(IndexFile& index, std::string_view question, std::optional<DocumentId> hidden = {});

struct RankedChunk {
  size_t candidate = 0;  ///< Of the analysis.
  double score = 0;
};

struct RankedSentence {
  size_t candidate = 0;
  size_t sentence = 0;  ///< Of the candidate.
  Features features{};
  double score = 0;
};

struct Ranked {
  std::vector<RankedChunk> chunks;        ///< The best first.
  std::vector<RankedSentence> sentences;  ///< Of the three best chunks, the best first.
  Features answer{};                      ///< Whether there is an answer.
  double probability = 0;                 ///< That the documents have an answer; 0 if nothing was found.
};

Ranked rank(const Analysis& analysis, const Ranking& ranking);

}  // namespace tinyllm::search
