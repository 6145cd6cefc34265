// Evaluates models: how well they predict a text, solve problems, and choose between options.
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/data/seen_questions.h>
#include <tinyllm/train/eval/answers.h>
#include <tinyllm/train/eval/choice.h>
#include <tinyllm/train/eval/report.h>
#include <tinyllm/train/eval/text_loss.h>
#include <tinyllm/train/run_plan.h>

#include "common/interrupt.h"
#include "common/model_options.h"
#include "common/output.h"
#include "common/progress_bar.h"

#include <algorithm>
#include <optional>

namespace tl = tinyllm;
namespace eval = tinyllm::eval;

namespace {

// How questions are put.
enum class Form : uint8_t { usual, chat, text };
constexpr auto names(Form) { return std::array{"usual", "chat", "text"}; }

struct Options {
  std::vector<std::string> models;
  std::vector<std::filesystem::path> questions, compare;
  std::filesystem::path data, output;
  eval::TextLoss::Options text;
  eval::AnswerOptions answers;
  eval::ChoiceOptions choice;
  Form form = Form::usual;
  int64_t limit = 0, shots = 0, sequences = 16;
  bool no_rotations = false, allows_seen = false, json = false;
  tl::LoadOptions load;
  int threads = tl::hardware_threads();
};

void add_question_options(CLI::App& app, Options& o) {
  app.add_option(
         "-q,--questions", o.questions,
         "Ask the questions of these files of JSON lines: problems with answers (make_problems, GSM8K, CMATH) or "
         "multiple choice (C-Eval, CMMLU, MMLU, ARC, HellaSwag).")
      ->type_name("FILE");
  tl::cli::add_number(app, "--limit", o.limit, tl::at_least(0),
                      "Ask only N questions of each file, taken from all parts of it; 0 asks all.");
  tl::cli::add_number(app, "--shots", o.shots, tl::between(0, 100),
                      "Show N solved questions before each one: those of the split dev, of the same subject, or else "
                      "the first ones of the file, which are then not asked.");
  tl::cli::add_choice(app, "--form", o.form,
                      "Put questions in the chat template of the model, or as plain text; usually problems are put in "
                      "the template if the model has one, and multiple choice as text.");
  app.add_option("--system", o.answers.system, "Give the model this system prompt with questions that have none.")
      ->type_name("TEXT");
  tl::cli::add_number(app, "-n,--max-tokens", o.answers.max_tokens, tl::between(1, 1 << 24),
                      "End an answer to a problem after N tokens.");
  tl::cli::add_number(app, "--chains", o.answers.chains, tl::between(0, 1024),
                      "Sample N answers to each problem, of which the first 3, 5 and 7 vote.");
  tl::cli::add_number(app, "--temp", o.answers.temperature, tl::above(0), "Sample these at this temperature.");
  app.add_flag("--forced", o.answers.forces,
               "Answer problems also with a calculator that writes the results of equations.");
  tl::cli::add_number(app, "--seed", o.answers.seed, tl::at_least(0), "Sample other answers with another number.");
  app.add_flag("--no-rotations", o.no_rotations,
               "Ask multiple-choice questions in one order of the options only, which takes less time.");
  app.add_flag("--allow-seen", o.allows_seen,
               "Evaluate also on questions that the model was trained on; the results say how many they are.");
}

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Evaluates models: perplexity of a text, exact match of problems, and multiple choice by likelihood, with "
      "intervals.\nStarted again with the same options, it continues where it was stopped.");
  app.add_option("-m,--model,models", o.models, "Evaluate the models in these folders or GGUF files.")
      ->type_name("MODEL");
  app.add_option("-o,--output", o.output, "Keep the results of one model in this folder, with a page of plots.")
      ->type_name("FOLDER");
  app.add_option("--data", o.data,
                 "Predict this file of tokens, which tokenize made with the tokenizer of the model. Each model is also "
                 "compared with the first one, which shows what quantising or fine-tuning has cost.")
      ->type_name("FILE");
  tl::cli::add_number(app, "--validation-every", o.text.validation_every, tl::at_least(0),
                      "Predict one of N documents, those that pretrain keeps for validation with the same option; "
                      "0 predicts all documents.");
  tl::cli::add_number(app, "--tokens", o.text.tokens, tl::at_least(1),
                      "Predict about N tokens, taken from all parts of the data.");
  add_question_options(app, o);
  app.add_option("--compare", o.compare,
                 "Compare two folders of results over the same questions, pair by pair; or in one folder the first "
                 "score, such as greedy, with all others.")
      ->type_name("FOLDER [FOLDER]")
      ->expected(1, 2);
  app.add_flag("--json", o.json, "Print JSON instead of tables.");
  tl::cli::add_number(app, "--sequences", o.sequences, tl::between(1, 4096),
                      "Keep room for N texts of full length in memory; more is faster, with the same results.");
  tl::cli::add_load_options(app, o.load);
  tl::cli::add_threads(app, o.threads);
  tl::cli::add_examples(app,
                        {"evaluate my-model --questions problems.jsonl --chains 7 --forced --output results",
                         "evaluate my-model --questions ceval.jsonl --shots 5 --output results-ceval",
                         "evaluate my-model my-model-q8 --data corpus.tokens --validation-every 0 --tokens 100000",
                         "evaluate --compare results results-of-another-model"},
                        "chat my-model");
  tl::cli::parse(app, argc, argv);
  std::vector<std::string> wrong;
  if (!o.compare.empty()) {
    if (!o.models.empty()) wrong.push_back("--compare: takes no models");
  } else {
    if (o.models.empty()) wrong.push_back("--model: missing");
    if (o.questions.empty() && o.data.empty()) wrong.push_back("--questions: missing; or give --data");
    if (o.models.size() > 1 && !o.output.empty()) wrong.push_back("--output: takes the results of one model");
  }
  if (!wrong.empty()) throw tl::cli::UsageError("{}", fmt::join(wrong, "\n"));
  o.answers.shots = o.choice.shots = o.shots;
  o.choice.rotates = !o.no_rotations;
  return o;
}

int compare(const Options& o) {
  const eval::Run first = eval::read_run(o.compare[0]);
  std::vector<eval::Difference> found;
  std::string a = first.info.model, b;
  if (o.compare.size() == 1) {
    found = eval::compare_scores(first);
    a += ", the first score of each set";
    b = "each other score";
  } else {
    const eval::Run second = eval::read_run(o.compare[1]);
    found = eval::compare(first, second);
    b = second.info.model;
  }
  tl::cli::print_text(o.json ? eval::as_json(found, a, b) : eval::as_table(found, a, b));
  return 0;
}

bool has_chat(const tl::Model& model) {
  try {
    model.chat_template->render({{tl::Role::user, "?"}}, {.add_generation_prompt = true});
    return true;
  } catch (const tl::Error&) {
    return false;
  }
}

// Keeps at most `most` questions, evenly spread over the file; 0 keeps all.
void limit(std::vector<eval::Question>& questions, int64_t most) {
  const auto all = static_cast<int64_t>(questions.size());
  if (most == 0 || most >= all) return;
  std::vector<eval::Question> some;
  for (int64_t i = 0; i < most; ++i) some.push_back(std::move(questions[static_cast<size_t>(i * all / most)]));
  questions = std::move(some);
}

// How many questions of a set a model was trained on.
int64_t seen_of(const eval::QuestionSet& set, const tl::SeenQuestions& seen) {
  return std::ranges::count_if(set.questions, [&](const eval::Question& question) {
    return seen.has(question.text) ||
           (!question.options.empty() && seen.has(question.text + "\n" + eval::lettered_options(question)));
  });
}

// One model with what it is asked.
class Evaluation {
 public:
  Evaluation(const Options& o, const std::string& path) : o_(o), pool_(o.threads) {
    for (const std::filesystem::path& file : o.questions) {
      limit(sets_.emplace_back(eval::read_questions(file, o.shots)).questions, o.limit);
    }
    model_.emplace(tl::cli::load(path, o.load, pool_));
    o_.answers.is_chat = o.form == Form::chat || (o.form == Form::usual && has_chat(*model_));
    o_.choice.is_chat = o.form == Form::chat;
    if (!o.data.empty()) text_.emplace(*model_, o.data, o.text, pool_);
    log_.emplace(o.output, info_of(path));
  }

  // Returns false if it was stopped before the end.
  bool run() {
    const tl::cli::InterruptGuard guard("\nStopping.\n");
    if (text_ && !measure_text()) return false;
    if (sets_.empty()) return true;
    tl::Session session(*model_, {.sequences = o_.sequences, .cache_type = tl::f32, .pool = pool_});
    for (size_t i = 0; i < sets_.size(); ++i) {
      if (!(sets_[i].task == eval::Task::choice ? choose(session, i) : answer(session, i))) return false;
    }
    return true;
  }

  const eval::ResultsLog& log() const { return *log_; }

 private:
  eval::RunInfo info_of(const std::string& path) {
    eval::RunInfo info{.model = path};
    const auto add = [&](const char* name, std::string value) { info.settings.emplace_back(name, std::move(value)); };
    add("weights", fmt::format("{:016x}", tl::weights_hash(*model_)));
    add("weight type", std::string(model_->config.types.matrices.name()));
    add("tokenizer", fmt::format("{:016x}", model_->tokenizer->hash()));
    add("context", fmt::format("{}", model_->config.context));
    const tl::SeenQuestions seen = tl::SeenQuestions::of_model(path);
    for (const eval::QuestionSet& set : sets_) {
      info.sets.push_back({.name = set.name,
                           .task = std::string(tl::name_of(set.task)),
                           .questions = std::ssize(set.questions),
                           .hash = set.hash(),
                           .seen = seen_of(set, seen)});
      check_seen(info.sets.back());
    }
    if (text_) info.sets.push_back(text_->info());
    const auto has = [&](eval::Task task) { return std::ranges::count(sets_, task, &eval::QuestionSet::task) > 0; };
    if (!sets_.empty()) add("shots", fmt::format("{}", o_.shots));
    if (has(eval::Task::choice)) {
      add("form of choices", o_.choice.is_chat ? "chat" : "text");
      add("rotations", o_.choice.rotates ? "all" : "one");
    }
    if (has(eval::Task::answer)) {
      add("form of problems", o_.answers.is_chat ? "chat" : "text");
      add("system", o_.answers.system);
      add("max tokens", fmt::format("{}", o_.answers.max_tokens));
      add("calculator", o_.answers.forces ? "check, correct, force" : "check, correct");
      add("chains", fmt::format("{}", o_.answers.chains));
    }
    if (has(eval::Task::answer) && o_.answers.chains > 0) {
      add("temperature", fmt::format("{}", o_.answers.temperature));
      add("seed", fmt::format("{}", o_.answers.seed));
    }
    return info;
  }

  void check_seen(const eval::SetInfo& set) const {
    if (set.seen == 0) return;
    const std::string what =
        fmt::format("{}: the model was trained on {} of its {} questions", set.name, set.seen, set.questions);
    if (!o_.allows_seen) throw tl::Error("{}; remove them, or give --allow-seen", what);
    tl::cli::note(what + "\n");
  }

  std::vector<size_t> left_of(size_t set) const {
    std::vector<size_t> left;
    for (int64_t i = 0; i < log_->info().sets[set].questions; ++i) {
      if (!log_->has(set, static_cast<size_t>(i))) left.push_back(static_cast<size_t>(i));
    }
    return left;
  }

  bool measure_text() {
    const size_t set = sets_.size();
    const std::vector<size_t> left = left_of(set);
    const eval::SetInfo& info = log_->info().sets[set];
    tl::cli::ProgressBar bar(fmt::format("{}: batches", info.name), info.questions);
    int64_t done = info.questions - std::ssize(left);
    for (const size_t batch : left) {
      if (tl::cli::interrupts > 0) return false;
      add(set, text_->measure(batch));
      bar.show(++done, "");
    }
    return true;
  }

  bool choose(tl::Session& session, size_t set) {
    constexpr size_t kTogether = 8;
    const std::vector<size_t> left = left_of(set);
    eval::LogLikelihoods likelihoods(session);
    tl::cli::ProgressBar bar(sets_[set].name, std::ssize(sets_[set].questions));
    int64_t done = std::ssize(sets_[set].questions) - std::ssize(left);
    double right = 0, asked = 0;
    for (size_t at = 0; at < left.size(); at += kTogether) {
      if (tl::cli::interrupts > 0) return false;
      const auto some = std::span(left).subspan(at, std::min(kTogether, left.size() - at));
      for (eval::Result& result : eval::score_choices(likelihoods, *model_, sets_[set], some, o_.choice)) {
        right += result.scores["text_per_character"];
        ++asked;
        ++done;
        add(set, std::move(result));
      }
      bar.show(done, fmt::format("per character {:.1f} %", 100 * right / asked));
    }
    return true;
  }

  bool answer(tl::Session& session, size_t set) {
    const std::vector<size_t> left = left_of(set);
    tl::cli::ProgressBar bar(sets_[set].name, std::ssize(sets_[set].questions));
    int64_t done = std::ssize(sets_[set].questions) - std::ssize(left);
    double right = 0, asked = 0;
    const auto show = [&] { bar.show(done, asked == 0 ? "" : fmt::format("greedy {:.1f} %", 100 * right / asked)); };
    eval::OnAnswers on;
    on.result = [&](eval::Result result) {
      right += result.scores["greedy"];
      ++asked;
      ++done;
      add(set, std::move(result));
      show();
    };
    on.pass = [&](int64_t) {
      if (asked < static_cast<double>(left.size())) show();
      return tl::cli::interrupts == 0;
    };
    eval::ask(session, sets_[set], left, o_.answers, on);
    return tl::cli::interrupts == 0 || left_of(set).empty();
  }

  void add(size_t set, eval::Result result) {
    result.set = set;
    log_->add(std::move(result));
  }

  Options o_;
  tl::ThreadPool pool_;
  std::vector<eval::QuestionSet> sets_;
  std::optional<tl::Model> model_;
  std::optional<eval::TextLoss> text_;
  std::optional<eval::ResultsLog> log_;
};

// The results of a model; with several, each beside the first one.
void print(const eval::Summary& summary, const Options& o, double& first) {
  if (o.json) {
    tl::cli::print_text(eval::as_json(summary));
    return;
  }
  if (o.models.size() > 1) tl::cli::print_text(summary.info.model + "\n");
  tl::cli::print_text(eval::as_table(summary));
  for (const eval::SetSummary& set : summary.sets) {
    if (!set.is_text()) continue;
    if (first == 0) {
      first = set.perplexity();
    } else {
      fmt::print("  {:+.3f} % of the first model's perplexity\n", 100 * (set.perplexity() / first - 1));
    }
  }
}

int run(const Options& o) {
  if (!o.compare.empty()) return compare(o);
  const auto lock = o.output.empty() ? nullptr : tl::cli::lock_folder(o.output);
  double first = 0;
  for (const std::string& path : o.models) {
    Evaluation evaluation(o, path);
    if (!evaluation.run()) {
      throw tl::Error("stopped; {}", o.output.empty()
                                         ? "without --output nothing is kept"
                                         : fmt::format("{} results are in {}, and the same command continues",
                                                       evaluation.log().results().size(), o.output.string()));
    }
    const eval::Summary summary = eval::summarise(evaluation.log().finished());
    print(summary, o, first);
    if (o.output.empty()) continue;
    tl::write_file(o.output / "results.json", eval::as_json(summary));
    tl::write_file(o.output / "report.html", eval::report_page(summary));
    tl::cli::note(fmt::format("saved {0}/results.json; its plots: {0}/report.html\n", o.output.string()));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(parse(argc, argv)); });
}
