#pragma once

#include <tinyllm/runtime/search/ranking.h>
#include <tinyllm/tensor/base/progress.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

// How well questions with known answers are answered, and learning from them.
namespace tinyllm::search {

/// A question whose answer is known.
struct KnownQuestion {
  std::string id;
  std::string question;
  std::vector<std::string> answers;  ///< As they stand in the document, one of several. May be empty.
  std::string document;              ///< Where the answer is: a path, or the name of a document in a file of several.
};

/// JSON lines with `question`, `answers` (a list), `doc_id`, and perhaps `id`. Throws Error that names the line.
std::vector<KnownQuestion> read_questions(const std::filesystem::path& path);

/// A question, what was found for it, and what of that is right.
struct Trial {
  std::string id;
  int64_t document = 0;           ///< Of the right answer.
  Analysis found;                 ///< Without texts.
  std::vector<bool> chunk_right;  ///< A candidate is of the document, and holds an answer if one is known.
  std::vector<std::vector<bool>> sentence_right;
  double seconds = 0;  ///< That finding and ranking took.
  Analysis without;    ///< What is found when the document is hidden, so that nothing answers.
};

/// Asks all questions. `document` of each must be in the index: throws Error that names the first that is not.
/// `on_progress` counts questions; throws Stopped.
std::vector<Trial> try_questions(IndexFile& index, const std::vector<KnownQuestion>& questions,
                                 const OnProgress& on_progress = {});

/// The ranking that these trials teach, with the threshold at which 5 % of the questions that cannot be answered are.
Ranking learn_ranking(const std::vector<const Trial*>& trials);

/// A rate, by its counts.
struct Rate {
  int64_t right = 0;
  int64_t total = 0;
};

/// How good a ranking is.
struct Evaluation {
  Rate document_first, document_five;       ///< The document is among the first 1 or 5 documents.
  Rate chunk_first, chunk_five, chunk_ten;  ///< A chunk with the answer is among the first ones.
  double mrr = 0;                           ///< Mean of 1 / rank of that chunk, 0 beyond the tenth.
  Rate sentence_first, sentence_three;      ///< Among the first sentences one holds the answer.
  double auc = 0;             ///< That a question with an answer seems likelier to have one than a question without.
  Rate kept;                  ///< Answered, at the threshold where 5 % of the questions without an answer are.
  Rate answered;              ///< Answered, at the threshold of the ranking.
  double median_seconds = 0;  ///< Half of the questions took less.
  double slow_seconds = 0;    ///< 95 % of the questions took less.
  Rate falsely;               ///< Without an answer and answered, at the same threshold.
};

/// A trial, and the ranking that it is judged by.
struct Judged {
  const Trial* trial = nullptr;
  const Ranking* ranking = nullptr;
};

Evaluation evaluate(const std::vector<Judged>& trials);

/// For each trial the ranking of the part of the documents that it is in, learned from the other parts: document d is
/// in part d modulo `folds`. `learned` owns the rankings.
std::vector<Judged> cross_validated(const std::vector<Trial>& trials, int folds, std::vector<Ranking>& learned);

/// BM25 alone: sentences and answers by the fraction of the question that they have.
Ranking plain_ranking();

}  // namespace tinyllm::search
