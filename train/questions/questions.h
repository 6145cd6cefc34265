#pragma once

#include <tinyllm/tensor/base/names.h>
#include <tinyllm/tensor/base/progress.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// Questions about the documents of an index, with answers in the documents' own words. No model is needed.
namespace tinyllm::questions {

/// The form of a sentence that makes a question.
enum class Rule : uint8_t {
  definition,  ///< "X是一种…", "X is a …": what X is.
  maker,       ///< "X由Y开发": by whom, or of what.
  date,        ///< "X于2018年…", "X was … in 2018": when.
  amount,      ///< "X…55千米": how many.
  list,        ///< "X包括A、B和C", "X includes A, B and C": which ones.
  heading      ///< A heading that asks, answered by the sentence below it.
};
constexpr auto names(Rule) { return std::array{"definition", "maker", "date", "amount", "list", "heading"}; }

/// Why a question was dropped: the first of these that applies.
enum class Dropped : uint8_t {
  size,       ///< The question has fewer than 6 or more than 160 characters, or the answer more than 400.
  broken,     ///< Brackets that do not match, markup, addresses, or few letters.
  not_alone,  ///< It speaks of something that only its document makes clear: "it", "this book".
  not_found,  ///< The search does not find the chunk of the answer among its first three.
  alike       ///< An earlier question is the same, or nearly (MinHash, 0.8).
};
constexpr auto names(Dropped) { return std::array{"size", "broken", "not_alone", "not_found", "alike"}; }

enum class Split : uint8_t { train, dev, test };
constexpr auto names(Split) { return std::array{"train", "dev", "test"}; }

/// Bytes `start` to `end` of a document's text.
struct SourceSpan {
  std::string path;  ///< Of the file, relative to the indexed folder.
  std::string name;  ///< Of the document in a file of several; else empty.
  std::string title;
  std::string headings;  ///< From the outermost, separated by " › ".
  int page = 0;          ///< From 1; 0 where the format has no pages.
  int64_t start = 0;
  int64_t end = 0;
  std::string hash;  ///< Of the document's text, XXH3 of 64 bits, in hexadecimal.
};

struct Row {
  Rule rule = Rule::definition;
  Split split = Split::train;
  bool is_answered = true;
  std::string question;
  std::string answer;   ///< The bytes of its source, or that the documents do not say.
  std::string passage;  ///< A chunk: the one that answers, or one of another document that does not.
  SourceSpan source;    ///< Of the answer; of the passage where that does not answer.
};

struct QuestionOptions {
  /// The fraction of rows whose passage does not answer: the nearest one of another document of the same part, in
  /// which the search finds no answer either.
  double unanswerable = 0.08;
};

struct QuestionReport {
  int64_t documents = 0;
  int64_t chunks = 0;
  int64_t sentences = 0;
  std::array<int64_t, names(Rule()).size()> made{};  ///< Questions of each rule,
  std::array<int64_t, names(Rule()).size()> kept{};  ///< and those that are rows.
  std::array<int64_t, names(Dropped()).size()> dropped{};
  std::array<int64_t, names(Split()).size()> rows{};          ///< Of each part, with those that are not answered,
  std::array<int64_t, names(Split()).size()> unanswerable{};  ///< which are these.
};

struct QuestionSet {
  std::vector<Row> rows;  ///< In the order of the documents.
  QuestionReport report;
};

/// Makes questions from all documents of an index. One that has less than half of its document's title begins with it.
/// A document, and with it all of its questions, belongs to `train` with probability 0.8, to `dev` or `test` with 0.1
/// each, by a hash of its path and name: it stays there when others are added. The same index gives the same rows.
/// `on_progress` counts chunks; throws Stopped. Throws Error when the file is not an index.
QuestionSet make_questions(const std::filesystem::path& index, const QuestionOptions& options = {},
                           const OnProgress& on_progress = {});

/// How a row is written as a line of JSON. All have `rule`, `answerable` and `source` besides.
enum class RowForm : uint8_t {
  alpaca,    ///< instruction, input, output
  sharegpt,  ///< conversations
  messages,  ///< messages
  questions  ///< id, question, answers, doc_id: for `rag eval`, without the rows that are not answered
};
constexpr auto names(RowForm) { return std::array{"alpaca", "sharegpt", "messages", "questions"}; }

/// A row as a line, without the line feed. The passage stands before the question, as a model that answers from quotes
/// is asked. `closed_book` leaves it out. Empty where a row has no place in the form, and where it has no answer
/// without its passage.
std::string to_line(const Row& row, RowForm form, bool closed_book = false);
/// As JSON, with a line feed at the end.
std::string to_json(const QuestionReport& report);

}  // namespace tinyllm::questions
