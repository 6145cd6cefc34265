// Writes made-up problems with checked steps, or real ones with other numbers, as samples for finetune.
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/problems/draw.h>
#include <tinyllm/train/problems/redraw.h>

#include "common/interrupt.h"
#include "common/problem_options.h"
#include "common/progress_bar.h"

#include <algorithm>
#include <map>

namespace tl = tinyllm;
namespace problems = tl::problems;

namespace {

struct Options {
  std::filesystem::path output;
  tl::cli::ProblemOptions problems;
  std::vector<std::filesystem::path> redraw;
  problems::Split split = problems::Split::train;
  int64_t count = 10'000;
  uint64_t seed = 1;
};

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
  for (CLI::Option* option : tl::cli::add_problem_options(app, o.problems)) option->excludes(redraw);
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
  fmt::print("{}, no two alike\nsaved {}\n", tl::counted(written, "problem"), o.output.string());
}

void make(const Options& o) {
  const std::vector<problems::Wanted> wanted = tl::cli::wanted_by(o.problems, o.split);
  write(o, wanted.size(),
        [&](size_t source, uint64_t index) { return problems::make_problem(wanted[source], o.seed, index); });
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
  fmt::print("{} can be redrawn\n", tl::counted(static_cast<int64_t>(questions.size()), "question"));
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
