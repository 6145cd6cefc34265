#pragma once

#include <tinyllm/tensor/base/progress.h>
#include <tinyllm/train/corpus/corpus_writer.h>
#include <tinyllm/train/corpus/report.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace tinyllm::corpus {

struct PrepareOptions {
  std::vector<std::filesystem::path> inputs;  ///< Folders and files.
  std::filesystem::path output;
  std::filesystem::path report;   ///< .json; the page is written next to it with .html.
  std::filesystem::path rejects;  ///< What is dropped, as JSON lines, without markup. Empty: not written.
  CleanOptions clean;
  DuplicateOptions duplicates;
  int threads = 1;
};

/// Makes a corpus from all text files in some folders: finds and decodes them, splits them into paragraphs, drops what
/// the rules reject and what repeats, and writes the rest in the order of the files, in the format of documents.h.
/// Output, report and rejects are the same for any number of threads. The corpus appears under its name only when it is
/// complete. A file that cannot be read is skipped, and listed in the report. `on_progress` counts bytes of the files,
/// and those of the corpus made. Throws Stopped, and Error when an input does not exist, when two outputs are the same
/// file, when an output is an input, when there is no text file, when no text is left (the report and the rejects are
/// then written), and when the disk is full.
Report prepare_corpus(const PrepareOptions& options, const OnProgress& on_progress = {});

}  // namespace tinyllm::corpus
