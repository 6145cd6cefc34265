#pragma once

#include <tinyllm/train/corpus/corpus_writer.h>
#include <tinyllm/train/corpus/report.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace tinyllm {

struct PrepareOptions {
  std::vector<std::filesystem::path> inputs;  ///< Folders and files.
  std::filesystem::path output;
  std::filesystem::path report;   ///< .json; the page goes beside it with .html.
  std::filesystem::path rejects;  ///< What is dropped, as JSON lines; markup is only counted. Empty: nowhere.
  CleanOptions clean;
  DuplicateOptions duplicates;
  int threads = 1;
};

/// How far it is: bytes of the files, and of the corpus.
struct PrepareProgress {
  int64_t read = 0;
  int64_t total = 0;
  int64_t kept = 0;
};

/// Makes a corpus of all text files in some folders: finds them, decodes them, takes them apart into paragraphs, drops
/// what the rules say and what has come before, and writes the rest in the order of the files (documents.h says how).
/// Output, report and rejects are the same for any number of threads. Nothing is ever half written: the corpus gets its
/// name when it is whole. `progress` is called now and then; when it returns false, Error is thrown and nothing stays.
/// Throws Error also when an input does not exist, when two outputs are one file or one is an input that is named, when
/// there is no text file, when nothing is left of all text (report and rejects are written then), and when the disk is
/// full.
Report prepare_corpus(const PrepareOptions& options, const std::function<bool(const PrepareProgress&)>& progress);

}  // namespace tinyllm
