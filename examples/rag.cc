// Answers questions from a folder of documents, by quoting them.
#include <tinyllm/runtime/documents/chunks.h>
#include <tinyllm/runtime/search/answer.h>
#include <tinyllm/runtime/search/evaluate.h>
#include <tinyllm/runtime/search/sync.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/interval.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <nlohmann/json.hpp>

#include "common/interrupt.h"
#include "common/output.h"
#include "common/parse.h"
#include "common/progress_bar.h"

#include <iostream>
#include <optional>
#include <set>
#include <sstream>

namespace tl = tinyllm;
namespace search = tinyllm::search;

namespace {

enum class Command { index, sync, ask, eval };
constexpr auto names(Command) { return std::array{"index", "sync", "ask", "eval"}; }

struct Options {
  Command command = Command::ask;
  std::string what;
  bool has_what = false;
  std::string index;
  search::SyncOptions sync;
  bool json = false;
  int folds = 0;
  bool keep = false;
  std::string ids;
};

// The options that only some commands have.
void check_fit(const CLI::App& app, const Options& options) {
  const auto only = [&](const char* option, std::initializer_list<Command> commands) {
    if (app.count(option) == 0) return;
    for (const Command command : commands) {
      if (command == options.command) return;
    }
    throw tl::cli::UsageError("{}: has no meaning for {}", option, tl::name_of(options.command));
  };
  only("--chunk", {Command::index});
  only("--threads", {Command::index, Command::sync});
  only("--json", {Command::ask});
  only("--folds", {Command::eval});
  only("--keep", {Command::eval});
  only("--ids", {Command::eval});
  if (options.what.empty() && options.command == Command::index) throw tl::cli::UsageError("FOLDER: missing");
  if (options.has_what && options.what.find_first_not_of(" \t\n") == std::string::npos) {
    throw tl::cli::UsageError("WHAT: is blank, expected a folder, a question or a file");
  }
  if (options.what.empty() && options.command == Command::eval) throw tl::cli::UsageError("QUESTIONS: missing");
  if (!options.what.empty() && options.command == Command::sync) {
    throw tl::cli::UsageError("{}: unexpected argument; the index knows its folder", options.what);
  }
}

Options parse(int argc, char** argv) {
  Options options;
  options.sync.threads = tl::hardware_threads();
  CLI::App app(
      "Answers questions from your documents, without a model: by quoting the sentences that answer, with the file, "
      "the "
      "page and the heading of each, or by saying that the documents do not say. `index` reads a folder into one file: "
      "text, Markdown, HTML, PDF, DOCX, DOC and JSON lines. `sync` reads what has changed since, `ask` answers a "
      "question, or each line of standard input, and `eval` measures the answers to questions with known answers.");
  std::string command;
  std::vector<std::string> commands;
  for (const Command each : tl::all_of<Command>()) commands.emplace_back(tl::name_of(each));
  app.add_option("command", command, "What to do: index, sync, ask or eval.")
      ->required()
      ->check([commands](const std::string& given) { return tl::cli::problem_with_choice(given, commands); })
      ->type_name("COMMAND");
  app.add_option("what", options.what, "The folder to index, the question to ask, or the file of questions.")
      ->type_name("WHAT");
  app.add_option("-i,--index", options.index, "Keep the documents in this file.")->type_name("FILE")->required();
  tl::cli::add_number(app, "--chunk", options.sync.characters, tl::between(16, tl::ChunkOptions::kMost),
                      "Cut documents into chunks of at most N characters, which are found as a whole.");
  app.add_flag("--json", options.json, "Print each answer as a line of JSON.");
  CLI::Option* folds = tl::cli::add_number(
      app, "--folds", options.folds, tl::between(2, 100),
      "Learn the ranking from the questions, and rank each by what the questions about other documents "
      "teach, in N parts.");
  app.add_flag("--keep", options.keep, "Keep the learned ranking in the index if it is better than the one there.")
      ->needs(folds);
  app.add_option("--ids", options.ids,
                 "Score only the questions whose ids this file has, one on each line; all of them still teach.")
      ->type_name("FILE");
  tl::cli::add_threads(app, options.sync.threads);
  tl::cli::add_examples(app,
                        {"rag index reports --index reports.db", "rag ask 'Who is the chairman?' --index reports.db",
                         "rag sync --index reports.db", "rag eval questions.jsonl --index reports.db --folds 5"},
                        "serve my-model");
  tl::cli::parse(app, argc, argv);
  options.command = *tl::parse_name<Command>(command);
  options.has_what = app.count("what") > 0;
  check_fit(app, options);
  return options;
}

double megabytes(int64_t bytes) { return static_cast<double>(bytes) / 1e6; }

void print(const search::SyncReport& report) {
  constexpr size_t kShown = 20;  // Of those about files that were read.
  size_t others = 0;
  for (const bool is_unread : {true, false}) {
    for (const search::Note& note : report.notes) {
      if (note.is_unread != is_unread || (!is_unread && ++others > kShown)) continue;
      tl::cli::note(tl::cli::printable(fmt::format("{}: {}", note.path, note.what)) + "\n");
    }
  }
  if (others > kShown) tl::cli::note(fmt::format("and {} more notes\n", others - kShown));
  fmt::print("{} added, {} changed, {} gone, {} unchanged, {} could not be read\n", report.added, report.changed,
             report.gone, report.unchanged, report.unread);
  if (report.others > 0) {
    fmt::print("{} left out: of another kind, or a link\n", tl::counted(report.others, "file"));
  }
}

int update(search::IndexFile& index, const std::filesystem::path& folder, const search::SyncOptions& options) {
  const tl::cli::InterruptGuard guard("\nStopping after this file; press Ctrl-C again to stop at once.\n");
  const tl::Clock::time_point start = tl::Clock::now();
  std::optional<tl::cli::ProgressBar> bar;
  const search::SyncReport report = search::sync_folder(index, folder, options, [&](const tl::Progress& p) {
    if (!bar) bar.emplace("MB", p.total / 1'000'000 + 1);
    bar->show(p.done / 1'000'000 + (p.done == p.total ? 1 : 0),
              fmt::format("{:.1f} MB/s", megabytes(p.done) / std::max(tl::seconds_since(start), 1e-3)));
    return tl::cli::interrupts == 0;
  });
  bar.reset();
  print(report);
  const double seconds = tl::seconds_since(start);
  fmt::print("{}: {} chunks; {:.1f} MB read in {:.2f} s\n", index.database().path().string(), index.chunks(),
             megabytes(report.bytes), seconds);
  if (report.stopped) {
    tl::cli::note("stopped; what was read is kept, and `rag sync` continues\n");
    return 1;
  }
  if (index.chunks() == 0) {
    tl::cli::note("no text was found: there is nothing to answer from\n");
    return 1;
  }
  return 0;
}

std::string place_of(const tl::Quote& quote) {
  std::string place = quote.name.empty() ? quote.path : quote.path + ", " + quote.name;
  if (quote.first_page > 0) place += fmt::format("#page={}", quote.first_page);
  if (quote.last_page > quote.first_page) place += fmt::format("-{}", quote.last_page);
  if (!quote.headings.empty()) place += ", " + quote.headings;
  return place + fmt::format(", bytes {} to {} of its text", quote.start, quote.end);
}

void print_text(const tl::DocumentAnswer& answer) {
  std::string text;
  if (answer.is_found) {
    for (size_t i = 0; i < answer.quotes.size(); ++i) text += fmt::format("{} [{}]\n", answer.quotes[i].text, i + 1);
  } else {
    text += fmt::format("资料中没有找到。The documents do not say.{}\n", answer.nearest.empty() ? "" : " Nearest:");
  }
  const std::vector<tl::Quote>& places = answer.is_found ? answer.quotes : answer.nearest;
  for (size_t i = 0; i < places.size(); ++i) text += fmt::format("\n[{}] {}", i + 1, place_of(places[i]));
  tl::cli::print_text(text + (places.empty() ? "" : "\n"));
}

nlohmann::ordered_json json_of(const std::vector<tl::Quote>& quotes) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const tl::Quote& quote : quotes) {
    list.push_back({{"index", list.size() + 1},
                    {"document", quote.path},
                    {"name", quote.name},
                    {"title", quote.title},
                    {"page", quote.first_page},
                    {"last_page", quote.last_page},
                    {"section", quote.headings},
                    {"start", quote.start},
                    {"end", quote.end},
                    {"quote", quote.text}});
  }
  return list;
}

void answer(tl::DocumentSearch& documents, const std::string& question, bool as_json) {
  const tl::DocumentAnswer answer = documents.answer(question);
  if (!as_json) return print_text(answer);
  const nlohmann::ordered_json line = {{"question", question},
                                       {"found", answer.is_found},
                                       {"probability", answer.probability},
                                       {"citations", json_of(answer.quotes)},
                                       {"nearest", json_of(answer.nearest)}};
  fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

int ask(const Options& options) {
  tl::DocumentSearch documents(options.index);
  if (options.has_what) return answer(documents, options.what, options.json), 0;
  for (std::string line; std::getline(std::cin, line);) answer(documents, line, options.json);
  return 0;
}

void print_rate(const char* name, const search::Rate& plain, const search::Rate& ranked) {
  const auto shown = [](const search::Rate& rate) {
    const tl::Interval interval = tl::wilson(rate.right, rate.total);
    return fmt::format("{:.4f} [{:.4f}, {:.4f}]",
                       static_cast<double>(rate.right) / static_cast<double>(std::max<int64_t>(rate.total, 1)),
                       interval.low, interval.high);
  };
  fmt::print("{:<44}{:<26}{}\n", name, shown(plain), shown(ranked));
}

void print(const search::Evaluation& plain, const search::Evaluation& ranked) {
  fmt::print("{:<44}{:<26}{}\n", fmt::format("{} questions", plain.document_first.total), "BM25", "ranked");
  print_rate("document first", plain.document_first, ranked.document_first);
  print_rate("document among 5", plain.document_five, ranked.document_five);
  print_rate("chunk with the answer first (R@1)", plain.chunk_first, ranked.chunk_first);
  print_rate("chunk with the answer among 5 (R@5)", plain.chunk_five, ranked.chunk_five);
  print_rate("chunk with the answer among 10 (R@10)", plain.chunk_ten, ranked.chunk_ten);
  fmt::print("{:<44}{:<26.4f}{:.4f}\n", "MRR@10", plain.mrr, ranked.mrr);
  print_rate("sentence with the answer first", plain.sentence_first, ranked.sentence_first);
  print_rate("sentence with the answer among 3", plain.sentence_three, ranked.sentence_three);
  fmt::print("{:<44}{:<26.4f}{:.4f}\n", "answerable or not (AUC)", plain.auc, ranked.auc);
  print_rate("answered at 5 % false answers", plain.kept, ranked.kept);
  print_rate("answered at the threshold", plain.answered, ranked.answered);
  print_rate("false answers at the threshold", plain.falsely, ranked.falsely);
  fmt::print("{:<44}{:<26}{:.2f} and {:.2f} ms\n", "time of a question: half, and 95 %, below", "",
             1e3 * ranked.median_seconds, 1e3 * ranked.slow_seconds);
}

std::set<std::string> read_ids(const std::string& path) {
  std::set<std::string> ids;
  if (path.empty()) return ids;
  std::istringstream lines(tl::read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) ids.insert(line);
  }
  if (ids.empty()) throw tl::Error("{}: has no ids, expected one on each line", path);
  return ids;
}

std::vector<search::Judged> judged_by(const search::Ranking& ranking, const std::vector<search::Trial>& trials) {
  std::vector<search::Judged> judged;
  for (const search::Trial& trial : trials) judged.push_back({&trial, &ranking});
  return judged;
}

// What is right, in one number, by which two rankings are compared.
double sum_of(const search::Evaluation& e) {
  return static_cast<double>(e.chunk_first.right + e.sentence_first.right + e.kept.right);
}

void keep_if_better(search::IndexFile& index, const std::vector<search::Trial>& trials,
                    const search::Evaluation& learned, const search::Ranking& before) {
  if (sum_of(learned) <= sum_of(search::evaluate(judged_by(before, trials)))) {
    fmt::print("the ranking in the index is not worse, and stays\n");
    return;
  }
  std::vector<const search::Trial*> all;
  for (const search::Trial& trial : trials) all.push_back(&trial);
  const search::Ranking ranking = search::learn_ranking(all);
  search::keep_ranking(index, ranking);
  fmt::print("{}: keeps the ranking that all questions teach\n{}\n", index.database().path().string(),
             search::to_json(ranking));
}

int evaluate(const Options& options) {
  search::IndexFile index(options.index, options.keep ? search::Database::Mode::write : search::Database::Mode::read);
  const std::vector<search::KnownQuestion> questions = search::read_questions(options.what);
  const std::set<std::string> ids = read_ids(options.ids);
  const tl::cli::InterruptGuard guard;
  std::optional<tl::cli::ProgressBar> bar;
  const std::vector<search::Trial> trials = search::try_questions(index, questions, [&](const tl::Progress& p) {
    if (!bar) bar.emplace("questions", p.total);
    bar->show(p.done, "");
    return tl::cli::interrupts == 0;
  });
  bar.reset();
  const auto selected = [&](std::vector<search::Judged> judged) {
    if (!ids.empty()) std::erase_if(judged, [&](const search::Judged& each) { return !ids.contains(each.trial->id); });
    return search::evaluate(judged);
  };
  const search::Ranking plain = search::plain_ranking(), kept = search::ranking_of(index);
  std::vector<search::Ranking> learned;
  const std::vector<search::Judged> ranked =
      options.folds > 0 ? search::cross_validated(trials, options.folds, learned) : judged_by(kept, trials);
  print(selected(judged_by(plain, trials)), selected(ranked));
  if (options.keep) keep_if_better(index, trials, search::evaluate(ranked), kept);
  return 0;
}

int run(const Options& options) {
  switch (options.command) {
    case Command::index: {
      if (!tl::is_folder(options.what)) throw tl::Error("{}: is not a folder", options.what);  // No index is made.
      search::IndexFile index(options.index, search::Database::Mode::create);
      return update(index, options.what, options.sync);
    }
    case Command::sync: {
      search::IndexFile index(options.index, search::Database::Mode::write);
      search::SyncOptions sync = options.sync;
      sync.characters = search::characters_of(index);
      return update(index, search::folder_of(index), sync);
    }
    case Command::ask:
      return ask(options);
    case Command::eval:
      return evaluate(options);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(parse(argc, argv)); });
}
