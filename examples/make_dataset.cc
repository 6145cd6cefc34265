// Makes questions with answers from an index of documents, as samples to learn from.
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/questions/questions.h>

#include "common/interrupt.h"
#include "common/parse.h"
#include "common/progress_bar.h"

namespace tl = tinyllm;
namespace questions = tl::questions;

namespace {

struct Options {
  std::filesystem::path index, output;
  questions::QuestionOptions make;
  questions::RowForm form = questions::RowForm::messages;
  bool closed_book = false;
  double percent = 8;
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Makes questions about your documents, with answers in the documents' own words, without a model: what, who, "
      "when, "
      "how many and which, where the form of a sentence allows it. Each row names the document, the page and the bytes "
      "of its answer. Rows are split by document into train.jsonl, dev.jsonl and test.jsonl, and report.json counts "
      "what "
      "was dropped, and why. The documents are those of an index that `rag index` has made.");
  app.add_option("-i,--index", o.index, "Ask about the documents of this index.")->type_name("FILE")->required();
  app.add_option("-o,--output", o.output, "Write the rows into this folder.")->type_name("FOLDER")->required();
  tl::cli::add_choice(app, "--form", o.form,
                      "Write rows as finetune reads them, in one of three forms, or as the questions of `rag eval`.");
  auto* percent =
      tl::cli::add_number(app, "--unanswerable", o.percent, tl::between(0, 50),
                          "Let X percent of the rows have a passage that does not answer; the answer says so.");
  auto* closed_book = app.add_flag(
      "--closed-book", o.closed_book,
      "Leave out the passages, and with them the rows without an answer: to teach what the documents say.");
  closed_book->excludes(percent);
  tl::cli::add_examples(app,
                        {"make_dataset --index reports.db --output rows",
                         "make_dataset --index reports.db --form alpaca --closed-book --output rows",
                         "make_dataset --index reports.db --form questions --output questions"},
                        "finetune --model base --data rows/train.jsonl --output my-model");
  tl::cli::parse(app, argc, argv);
  o.make.unanswerable = o.closed_book ? 0 : o.percent / 100;
  return o;
}

template <class Name>
void print_counts(const char* title, const std::array<int64_t, names(Name()).size()>& counts) {
  fmt::print("{:<12}", title);
  for (const Name name : tl::all_of<Name>()) {
    fmt::print("{}{} {}", name == Name() ? "" : ", ", tl::name_of(name), counts[static_cast<size_t>(name)]);
  }
  fmt::print("\n");
}

void print(const questions::QuestionReport& report) {
  fmt::print("{} documents, {} chunks, {} sentences\n", report.documents, report.chunks, report.sentences);
  print_counts<questions::Rule>("made", report.made);
  print_counts<questions::Dropped>("dropped", report.dropped);
  print_counts<questions::Rule>("kept", report.kept);
  print_counts<questions::Split>("rows", report.rows);
  print_counts<questions::Split>("unanswered", report.unanswerable);
}

int run(const Options& o) {
  const tl::cli::InterruptGuard guard;
  questions::QuestionSet set;
  {
    std::optional<tl::cli::ProgressBar> bar;
    set = questions::make_questions(o.index, o.make, [&](const tl::Progress& p) {
      if (!bar) bar.emplace("chunks", p.total);
      bar->show(p.done, tl::counted(p.made, "row"));
      return tl::cli::interrupts == 0;
    });
  }
  print(set.report);
  if (set.rows.empty()) throw tl::Error("{}: no question can be made of these documents", o.index.string());
  tl::make_folder(o.output);
  for (const questions::Split split : tl::all_of<questions::Split>()) {
    std::string lines;
    for (const questions::Row& row : set.rows) {
      const std::string line = row.split == split ? questions::to_line(row, o.form, o.closed_book) : "";
      if (!line.empty()) lines += line + '\n';
    }
    tl::write_file(o.output / fmt::format("{}.jsonl", tl::name_of(split)), lines);
  }
  tl::write_file(o.output / "report.json", questions::to_json(set.report));
  fmt::print("saved {}\n", o.output.string());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(parse(argc, argv)); });
}
