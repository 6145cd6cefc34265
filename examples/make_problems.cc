// Writes made-up problems with checked steps, or real ones with other numbers, as samples for finetune.
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/problems/draw.h>
#include <tinyllm/train/problems/redraw.h>

#include "common/interrupt.h"
#include "common/parse.h"
#include "common/progress_bar.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <span>

namespace tl = tinyllm;
namespace problems = tl::problems;

namespace {

struct Options {
  std::filesystem::path output;
  std::vector<std::string> levels = {"1"}, kinds, languages = {"chinese", "english"};
  std::vector<std::filesystem::path> redraw;
  problems::Split split = problems::Split::train;
  int64_t count = 10'000;
  uint64_t seed = 1;
};

// An option that takes some of several names.
CLI::Option* add_names(CLI::App& app, const std::string& option, std::vector<std::string>& value,
                       const std::vector<std::string>& known, const char* type, const std::string& description) {
  return app.add_option(option, value, description)
      ->check([known](const std::string& given) { return tl::cli::problem_with_choice(given, known); })
      ->type_name(type);
}

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Writes problems with their reasoning and their answers, as JSON lines that finetune and show_samples read. "
      "Every "
      "step of every reasoning is checked by the calculator. What is held out for tests is never made for training, "
      "whatever the seed. With --redraw, real questions that come with equations get other numbers.");
  app.add_option("-o,--output", o.output, "Write the problems to this file of JSON lines.")
      ->type_name("FILE")
      ->required();
  auto* redraw = app.add_option("--redraw", o.redraw,
                                "Draw the numbers of these questions again, instead of making problems up: JSON lines "
                                "as in GSM8K, Ape210K or Math23K.");
  redraw->type_name("FILE");
  add_names(app, "--level", o.levels, {"1", "2", "3"}, "{1,2,3}",
            "Make problems of these levels: 1 to 3 steps, two problems in one with longer numbers, or three to four.")
      ->default_str("1")
      ->excludes(redraw);
  const std::vector<std::string> kinds = problems::kind_names();
  add_names(app, "--kinds", o.kinds, kinds, "KIND",
            fmt::format("Make problems of these kinds instead of all: {}.", fmt::join(kinds, ", ")))
      ->excludes(redraw);
  add_names(app, "--language", o.languages, {"chinese", "english"}, "{chinese,english}",
            "Make problems in these languages.")
      ->default_str("chinese english")
      ->excludes(redraw);
  tl::cli::add_choice(app, "--split", o.split,
                      "Make problems to train on, or ones held out by their numbers, wording, composition of kinds, or "
                      "by longer numbers.");
  tl::cli::add_number(app, "-n,--count", o.count, tl::between(1, 1e9), "Write N problems, or as many as are found.");
  tl::cli::add_number(app, "--seed", o.seed, tl::at_least(0), "Draw other problems with another number.");
  tl::cli::add_examples(app,
                        {"make_problems --level 1 2 --count 200000 --output problems.jsonl",
                         "make_problems --level 2 --split wording --count 2000 --output unseen-wording.jsonl",
                         "make_problems --redraw gsm8k.jsonl --count 50000 --output redrawn.jsonl"},
                        "finetune --model base --data problems.jsonl --output my-model");
  tl::cli::parse(app, argc, argv);
  return o;
}

// Writes problems from all sources in turn, and prints how many of each kind.
void write(const Options& o, size_t sources, const problems::Draw& draw) {
  const tl::cli::InterruptGuard guard;
  std::map<std::string, int64_t> counts;
  int64_t written = 0;
  {
    tl::cli::ProgressBar bar("problems", o.count);
    tl::write_file(o.output, [&](const tl::Append& append) {
      problems::draw_in_turn(sources, o.count, draw, [&](const problems::Problem& problem) {
        if (tl::cli::interrupts > 0) throw tl::Stopped();
        const std::string line = problems::as_sample(problem) + "\n";
        append(std::as_bytes(std::span(line)));
        ++counts[problem.kind];
        bar.show(++written, problem.kind);
      });
      if (written == 0) throw tl::Error("no problem could be made; nothing was written");
    });
  }
  for (const auto& [kind, count] : counts) fmt::print("{:<22}{:>9}\n", kind, count);
  if (written < o.count) fmt::print("no more were found\n");
  fmt::print("{}, no two alike\nsaved {}\n", tl::cli::count(written, "problem"), o.output.string());
}

void make(const Options& o) {
  std::vector<problems::Wanted> choices;
  for (const std::string& kind : o.kinds.empty() ? problems::kind_names() : o.kinds) {
    for (const std::string& level : o.levels) {
      if (!problems::has_split(kind, level[0] - '0', o.split)) continue;
      for (const std::string& language : o.languages) {
        choices.push_back({kind, level[0] - '0', *tl::parse_name<problems::Language>(language), o.split});
      }
    }
  }
  if (choices.empty()) {
    throw tl::cli::UsageError("--kinds: {} of level {}: none has problems for --split {}", fmt::join(o.kinds, ", "),
                              fmt::join(o.levels, ", "), tl::name_of(o.split));
  }
  write(o, choices.size(), [&](size_t source, uint64_t index) -> std::optional<problems::Problem> {
    return problems::make_problem(choices[source], o.seed, index);
  });
}

void redraw(const Options& o) {
  if (o.split == problems::Split::composition || o.split == problems::Split::range) {
    throw tl::cli::UsageError("--split: {}, expected train, numbers, wording with --redraw", tl::name_of(o.split));
  }
  std::vector<problems::RealProblem> questions;
  std::map<problems::Refusal, int64_t> refused;
  for (const std::filesystem::path& path : o.redraw) {
    if (tl::is_same(path, o.output)) throw tl::Error("{}: is the input too", o.output.string());
    const tl::MappedFile file(path);
    int64_t number = 0;
    for (std::string_view rest = file.text(); !rest.empty();) {
      ++number;
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.find_first_not_of(" \t\r") == line.npos) continue;
      try {
        auto question = problems::RealProblem::read(line);
        if (auto* real = std::get_if<problems::RealProblem>(&question)) {
          questions.push_back(std::move(*real));
        } else {
          ++refused[std::get<problems::Refusal>(question)];
        }
      } catch (const tl::Error& error) {
        throw tl::Error("{}: line {}: {}", path.string(), number, error.what());
      }
    }
  }
  fmt::print("{} can be redrawn\n", tl::cli::count(static_cast<int64_t>(questions.size()), "question"));
  for (const auto& [why, count] : refused) fmt::print("{:<22}{:>9} refused\n", tl::name_of(why), count);
  write(o, questions.size(),
        [&](size_t source, uint64_t index) { return questions[source].draw(o.seed, index, o.split); });
}

int run(const Options& o) {
  if (o.redraw.empty()) {
    make(o);
  } else {
    redraw(o);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(parse(argc, argv)); });
}
