#include <tinyllm/train/corpus/prepare.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/ordered_pipeline.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <fmt/ranges.h>

#include <set>
#include <utility>

namespace tinyllm::corpus {
namespace {

namespace fs = std::filesystem;

fs::path page_path(const PrepareOptions& o) { return fs::path(o.report).replace_extension(".html"); }

// The files that this run or an earlier one writes. They may be in an input folder.
std::vector<fs::path> outputs(const PrepareOptions& o) {
  std::vector<fs::path> paths;
  for (const fs::path& path : {o.output, o.report, page_path(o), o.rejects}) {
    if (!path.empty()) paths.push_back(path);
  }
  return paths;
}

// Checks the outputs first, so that the run does not fail after hours or overwrite other files.
void check_outputs(const PrepareOptions& o) {
  std::set<fs::path> seen;
  std::error_code none;
  for (const fs::path& path : outputs(o)) {
    if (is_folder(path)) throw Error("{}: cannot be written: is a folder", path.string());
    const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
    if (!is_folder(folder)) throw Error("{}: cannot be written: there is no such folder", path.string());
    if (!seen.insert(fs::weakly_canonical(folder, none) / path.filename()).second) {
      throw Error("{}: is named twice; corpus, report, its page (.html) and rejects must be different files",
                  path.string());
    }
    for (const fs::path& input : o.inputs) {
      if (is_same(input, path)) throw Error("{}: is the input too", path.string());
    }
  }
}

FolderListing list(const PrepareOptions& o) {
  FolderListing listing = list_text_files(o.inputs, outputs(o));
  if (!listing.files.empty()) return listing;
  std::vector<std::string> names;
  for (const fs::path& input : o.inputs) names.push_back(input.string());
  throw Error("{}: no text file among {} files; expected .txt, .md, .jsonl or .html, or these with .gz, .xz or .zst",
              fmt::join(names, ", "), listing.skipped.size());
}

// Reads, cleans and writes everything; `rejects` may be empty.
void run(const PrepareOptions& o, const FolderListing& listing, const Append& corpus, const Append& rejects,
         const OnProgress& on_progress, Report& report) {
  CorpusWriter writer(listing.files, o.clean, o.duplicates, corpus, rejects, report);
  for (const SkippedFile& file : listing.skipped) writer.skip(file.name, file.size, file.rule, file.why);
  PieceReader reader(listing.files);
  const Cleaner cleaner(o.clean);
  Progress progress{.total = listing.bytes};
  ordered_pipeline(
      o.threads, [&] { return reader.next(); }, [&](Piece piece) { return cleaner.clean(std::move(piece)); },
      [&](const CleanPiece& piece) {
        writer.take(piece);
        progress.done += piece.consumed;
        progress.made = writer.kept_bytes();
        tinyllm::report(on_progress, progress);
      });
  writer.finish();
}

}  // namespace

Report prepare_corpus(const PrepareOptions& o, const OnProgress& on_progress) {
  if (o.threads < 1 || o.threads > ThreadPool::kMaxThreads) {
    throw Error("{} threads asked for, expected 1 to {}", o.threads, ThreadPool::kMaxThreads);
  }
  check_outputs(o);
  const FolderListing listing = list(o);
  Report report;
  write_file(o.output, [&](const Append& corpus) {
    if (o.rejects.empty()) {
      run(o, listing, corpus, nullptr, on_progress, report);
    } else {
      write_file(o.rejects, [&](const Append& rejects) { run(o, listing, corpus, rejects, on_progress, report); });
    }
    write_file(o.report, report.to_json());
    write_file(page_path(o), report.to_html());
    if (report.kept.bytes == 0) {
      throw Error("{}: not written: nothing was kept of {} bytes of text; {} says why", o.output.string(),
                  report.read.bytes, o.report.string());
    }
  });
  return report;
}

}  // namespace tinyllm::corpus
