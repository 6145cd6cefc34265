// Answers one question by self-consistency: several chains of thought vote on the answer, and a calculator checks them.
#include <tinyllm/runtime/reason/reasoner.h>
#include <tinyllm/runtime/reason/verdict_json.h>

#include "common/answer_options.h"
#include "common/interrupt.h"
#include "common/output.h"
#include "common/parse.h"

#include <nlohmann/json.hpp>

namespace tl = tinyllm;

namespace {

struct Options : tl::cli::PromptOptions {
  tl::ReasonOptions reason;
  bool all = false;
  bool json = false;
};

Options parse(int argc, char** argv) {
  Options o;
  o.answer = o.reason.answer;
  CLI::App app(
      "Answers one question, which is an argument, an option, or all of standard input, by self-consistency: several "
      "chains of thought vote on the answer, and a calculator checks their equations. The same seed gives the same "
      "answer.");
  tl::cli::add_prompt(app, o);
  tl::cli::add_number(app, "--chains", o.reason.chains, tl::between(1, tl::kMaxChains),
                      "Sample N chains of thought at most.");
  tl::cli::add_number(app, "--confidence", o.reason.confidence, {.low = 0.5, .high = 1, .excludes_low = true},
                      "Sample no more chains once the answer is decided with this probability; 1 samples all.");
  tl::cli::add_choice(
      app, "--calculator", o.reason.calculator,
      "Leave equations alone, check them, correct what follows from false ones before a chain votes, or "
      "force the model to write right results.");
  app.add_flag("--all", o.all, "Print every chain, not only the one with the answer.");
  app.add_flag("--json", o.json, "Print one line of JSON.");
  tl::cli::add_ask_options(app, o);
  tl::cli::add_number(app, "--seed", o.answer.sampling.seed, tl::at_least(0), "Sample with this seed.");
  tl::cli::add_examples(app,
                        {"reason tinyllm-model '计算：12*(3+4)-10'",
                         "reason -m tinyllm-model -p '计算：12*(3+4)-10' --chains 9 --calculator correct --all"},
                        "serve tinyllm-model");
  tl::cli::parse(app, argc, argv);
  tl::cli::take_prompt(app, o);
  return o;
}

std::string text_of(const tl::Ballot& ballot, const tl::Equation& equation) {
  const size_t begin = equation.sides.front().begin;
  return ballot.text.substr(begin, equation.sides.back().end - begin);
}

// What a chain answered, and what the calculator says of it: "7, corrected: 8 to 7", "no answer, cut off".
std::string summary(const tl::Ballot& ballot) {
  std::string text = ballot.has_answer() ? shown(ballot.answer) : "no answer";
  if (ballot.is_cut_off) text += ", cut off";
  for (const tl::Equation& equation : ballot.false_equations) text += ", false: " + text_of(ballot, equation);
  for (const tl::Correction& one : ballot.corrections) {
    // The others follow from these.
    if (one.why == tl::Correction::Why::slip) text += fmt::format(", corrected: {} to {}", one.before, one.after);
  }
  return text;
}

// The whole text of a chain, from a new line to the end of one.
void print_chain(const tl::Ballot& ballot) {
  tl::cli::print_text(ballot.text.ends_with('\n') ? ballot.text : ballot.text + "\n");
}

void print(const tl::Reasoned& reasoned, bool all) {
  const tl::Verdict& verdict = reasoned.verdict;
  std::string text;
  for (size_t i = 0; all && i < reasoned.chains.size(); ++i) {
    const tl::Ballot& ballot = reasoned.chains[i].ballot;
    tl::cli::print_text(fmt::format("--- chain {}: {}\n", i + 1, summary(ballot)));
    print_chain(ballot);
  }
  if (all) text += "---\n";
  text += "votes  score  answer\n";
  size_t voters = 0;
  for (const tl::Candidate& candidate : verdict.candidates) {
    voters += candidate.chains.size();
    text += fmt::format("{:5}  {:5.4g}  {}\n", candidate.chains.size(), candidate.score,
                        shown(reasoned.chains[candidate.chains[0]].ballot.answer));
  }
  if (const size_t none = reasoned.chains.size() - voters; none > 0)
    text += fmt::format("{:5}      0  no answer\n", none);
  text += fmt::format("agreement {:.2f}{}\n", verdict.agreement,
                      verdict.is_tie ? ", a tie: the likelier chain decides" : "");
  const tl::Ballot& best = reasoned.chains[verdict.chain].ballot;
  for (const tl::Correction& one : best.corrections) {
    text += fmt::format("corrected: {} to {} ({})\n", one.before, one.after, name_of(one.why));
  }
  tl::cli::print_text(text + "\n");
  print_chain(best);
}

void print_json(const tl::Reasoned& reasoned, const Options& o) {
  std::vector<tl::Ballot> ballots;
  int64_t tokens = 0, computed = 0;
  for (const tl::Reasoned::Chain& chain : reasoned.chains) {
    ballots.push_back(chain.ballot);
    tokens += std::ssize(chain.completion.tokens);
    computed += chain.completion.prompt_tokens - chain.completion.cached_tokens;
  }
  auto json = nlohmann::ordered_json::parse(verdict_json(reasoned.verdict, ballots, o.all));
  json["text"] = ballots[reasoned.verdict.chain].text;
  json["seed"] = o.answer.sampling.seed;
  json["prompt_tokens"] = reasoned.chains[0].completion.prompt_tokens;
  json["computed_prompt_tokens"] = computed;
  json["completion_tokens"] = tokens;
  fmt::print("{}\n", json.dump());
}

// A cache that has room for the prompt and for all chains at once.
int64_t sequences(const Options& o, int64_t context) {
  const int64_t chain = std::min(context, o.answer.max_tokens + 2 * tl::kCachePage);
  return 1 + (o.reason.chains * chain + context - 1) / context;
}

int reason(Options o) {
  if (o.prompt.empty()) throw tl::Error("the question is empty");
  const tl::ThreadPool pool(o.threads);
  const tl::Model model = tl::cli::load(o.model, o.load, pool);
  tl::cli::take_sampling_defaults(model.sampling, o);
  o.reason.answer = o.answer;
  tl::Session session(model,
                      {.sequences = sequences(o, model.config.context), .cache_type = o.cache_type, .pool = pool});
  const tl::Messages messages = {{tl::Role::system, o.system}, {tl::Role::user, o.prompt}};
  const tl::cli::InterruptGuard guard;
  tl::ReasonCallbacks callbacks;
  callbacks.on_text = [](size_t, std::string_view) { return tl::cli::interrupts == 0; };
  callbacks.on_chain = [&](size_t chain, const tl::Ballot& ballot, const tl::Completion&) {
    if (tl::cli::interrupts != 0) return;
    tl::cli::note(fmt::format("chain {} of {}: {}\n", chain + 1, o.reason.chains, tl::cli::printable(summary(ballot))));
  };
  const tl::Reasoned reasoned =
      tl::Reasoner(session).reason(question_of(model, messages, session.context()), o.reason, std::move(callbacks));
  if (o.json) {
    print_json(reasoned, o);
  } else {
    print(reasoned, o.all);
  }
  return reasoned.is_cancelled ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return reason(parse(argc, argv)); });
}
