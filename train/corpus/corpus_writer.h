#pragma once

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/corpus/clean.h>
#include <tinyllm/train/corpus/hash_set.h>
#include <tinyllm/train/corpus/near_duplicates.h>
#include <tinyllm/train/corpus/report.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::corpus {

struct DuplicateOptions {
  bool exact = true;
  int64_t min_characters = 25;  ///< Shorter paragraphs, such as headings, may occur again.
  double near = 0.8;            ///< From this similarity on, a text repeats an earlier one (near_duplicates.h).
};

/// Takes clean pieces in order, drops what came before, and writes the rest. A document that equals or resembles an
/// earlier one is dropped as a whole. Of the other documents, the paragraphs that came before are dropped.
class CorpusWriter {
 public:
  /// `corpus` is called with the bytes of the corpus, and `rejects`, unless it is empty, with a line of JSON for
  /// everything that is dropped: {"rule", "file", "line", "text"}.
  CorpusWriter(const std::vector<InputFile>& files, const CleanOptions& clean, const DuplicateOptions& duplicates,
               Append corpus, Append rejects, Report& report);

  void take(const CleanPiece& piece);
  /// A file that could not be read, or not to its end.
  void skip(std::string_view file, int64_t bytes, std::string_view rule, std::string_view why);
  /// Writes what is still buffered, and adds the files to the report.
  void finish();

  int64_t kept_bytes() const { return kept_bytes_; }

 private:
  void take(const CleanPiece& piece, const CleanDocument& document);
  void count_changes(const CleanPiece& piece);
  bool seen_before(const CleanPiece& piece, const CleanDocument& document);
  void drop(std::string_view rule, size_t file, int64_t line, std::string_view text);
  void reject(std::string_view rule, std::string_view file, int64_t line, std::string_view text);
  void flush(std::string& buffer, const Append& append, size_t least);

  const std::vector<InputFile>& files_;
  const CleanOptions& clean_;
  const DuplicateOptions& duplicates_;
  Append corpus_;
  Append rejects_;
  Report& report_;
  std::vector<Report::File> counts_;
  HashSet documents_;
  HashSet paragraphs_;
  NearDuplicates near_;
  std::string text_;             // Not yet given to `corpus_`.
  std::string lines_;            // Not yet given to `rejects_`.
  int64_t kept_bytes_ = 0;       // Of the corpus so far.
  bool wrote_document_ = false;  // Something of the open document was kept.
};

}  // namespace tinyllm::corpus
