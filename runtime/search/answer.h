#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Answers from an index of documents that `tinyllm rag index` has made, in their own words. No model is needed.
namespace tinyllm {

/// Sentences of a document, to the letter.
struct Quote {
  std::string text;
  std::string path;  ///< Of the file, relative to the indexed folder.
  std::string name;  ///< Of the document in a file of several; else empty.
  std::string title;
  std::string headings;  ///< From the outermost, separated by " › ".
  int first_page = 0;    ///< From 1; 0 where the format has no pages.
  int last_page = 0;
  int64_t start = 0;  ///< The quote is bytes `start` to `end` of the document's text.
  int64_t end = 0;
};

struct DocumentAnswer {
  bool is_found = false;       ///< Else the documents do not say, and `quotes` are empty.
  double probability = 0;      ///< That the documents have an answer.
  std::vector<Quote> quotes;   ///< At most three; the first one answers most probably.
  std::vector<Quote> nearest;  ///< When nothing answers: the three places that come closest.
};

/// An index that is open for questions. Belongs to one thread at a time; other processes may change the index.
class DocumentSearch {
 public:
  /// Throws Error when the file is not an index, or is one of another version.
  explicit DocumentSearch(const std::filesystem::path& index);
  ~DocumentSearch();
  DocumentSearch(const DocumentSearch&) = delete;
  DocumentSearch& operator=(const DocumentSearch&) = delete;

  /// Any text is a question: none of its letters is syntax. Of a very long one the beginning counts. Each quote was
  /// read back from its place.
  DocumentAnswer answer(std::string_view question);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
