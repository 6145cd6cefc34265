// Carries out plans on files: shows what will happen, asks, does all of it or nothing, and undoes it.
#include <tinyllm/runtime/agent/agent.h>
#include <tinyllm/runtime/agent/planner.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/names.h>
#include <tinyllm/tensor/base/utf8.h>

#include "agent/output.h"
#include "common/output.h"
#include "common/parse.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>

namespace tl = tinyllm;
using tl::agent::Agent;
using tl::agent::Outcome;

namespace {

struct Options {
  std::string config, root, plan, request, log;
  bool run = false, dry_run = false, yes = false, json = false, full = false;
  bool redo = false, runs = false, verify_log = false;
  int64_t undo = -1;  // -1: no undo; 0: the last run.
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Carries out a request or a plan on the files below one folder. Shows first how the tree will look; with --run "
      "it "
      "asks, does all of it or nothing, and keeps what --undo needs. docs/agent.md explains configurations and plans.");
  app.add_option("arguments", o.request, "What should happen, in Chinese or English.")->type_name("REQUEST");
  app.add_option("--config", o.config, "Read what is allowed from this YAML or JSON file.")->type_name("FILE");
  app.add_option("--root", o.root, "Work below this folder.")->type_name("FOLDER");
  app.add_option("--plan", o.plan, "Carry out this plan, a JSON file or JSON itself, instead of a request.")
      ->type_name("PLAN");
  app.add_option("--log", o.log, "Append what is done to this log, outside the folder.")->type_name("FILE");
  app.add_flag("--run", o.run, "Carry the plan out after it was confirmed.");
  app.add_flag("--dry-run", o.dry_run, "Only show the plan, also where the configuration says otherwise.");
  app.add_flag("--yes", o.yes, "Confirm without asking, if allow_unattended has every operation of the plan.");
  app.add_flag("--full", o.full, "List every file of a plan, not only the first 20 of a step.");
  app.add_flag("--json", o.json, "Print JSON.");
  tl::cli::add_number(app, "--undo", o.undo, tl::at_least(0), "Undo the run with this number; 0 is the last one.")
      ->default_str("");
  app.add_flag("--redo", o.redo, "Take the last undo back.");
  app.add_flag("--runs", o.runs, "List the runs that changed something.");
  app.add_flag("--verify-log", o.verify_log, "Check that no line of the log was changed, added or dropped.");
  tl::cli::add_examples(app,
                        {"agent --root ~/AgentRoot '把 downloads 里的 pdf 移到 reports'",
                         "agent --config config.yaml --plan plan.json --run", "agent --root ~/AgentRoot --undo 0"},
                        "chat tinyllm-model");
  tl::cli::parse(app, argc, argv);
  if (o.config.empty() && o.root.empty()) throw tl::cli::UsageError("--root: missing, or --config with a root");
  if (o.run && o.dry_run) throw tl::cli::UsageError("--run, --dry-run: only one of them");
  if (o.dry_run && (o.undo >= 0 || o.redo)) {
    throw tl::cli::UsageError("--dry-run: not with --undo or --redo; --runs lists what can be undone");
  }
  const int things = (o.undo >= 0) + o.redo + o.runs + o.verify_log + !o.plan.empty() + !o.request.empty();
  if (things != 1) throw tl::cli::UsageError("expected a request, --plan, --undo, --redo, --runs or --verify-log");
  return o;
}

tl::agent::Policy policy_of(const Options& o) {
  tl::agent::Policy policy = o.config.empty() ? tl::agent::Policy() : tl::agent::load_policy(o.config);
  if (!o.root.empty()) policy.root = o.root;
  if (!o.log.empty()) policy.log_path = tl::absolute_path(o.log);
  if (policy.root.empty()) throw tl::Error("{}: has no root; give --root", o.config);
  return policy;
}

int64_t now() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

std::string plan_text(const std::string& plan) {
  const size_t first = plan.find_first_not_of(" \t\n");
  if (first != plan.npos && (plan[first] == '[' || plan[first] == '{')) return plan;
  return tl::read_file(plan, tl::agent::kMaxPlanBytes);
}

// One line that a person types; none at the end of the input, where nobody is.
std::optional<std::string> ask(const std::string& question) {
  tl::cli::note(question);
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

bool may_run_unattended(const tl::agent::Policy& policy, const tl::agent::Preview& preview) {
  return std::all_of(preview.steps.begin(), preview.steps.end(), [&](const tl::agent::StepPreview& step) {
    return only_looks(step.operation) || policy.allow_unattended.contains(step.operation);
  });
}

tl::agent::Confirmation confirmation(const Options& o, const Agent& agent, const tl::agent::Preview& preview) {
  if (!preview.changes()) return {.yes = true, .typed = std::nullopt};
  const int64_t number = preview.number_to_type();
  if (o.yes) {
    if (may_run_unattended(agent.policy(), preview)) return {.yes = true, .typed = number};
    tl::cli::note("--yes: allow_unattended does not have every operation of this plan\n");
  }
  if (number < 0) return {.yes = ask("Carry it out? (yes/no) ") == "yes", .typed = std::nullopt};
  const auto typed = ask(fmt::format("This deletes, replaces or renames. Type {} to carry it out: ", number));
  int64_t value = -1;
  const bool is_number = typed && tl::cli::read_number(*typed, tl::at_least(0), value).empty();
  return {.yes = is_number, .typed = is_number ? std::optional(value) : std::nullopt};
}

int report(const Options& o, const Agent& agent, const Outcome& outcome) {
  tl::cli::print_text(o.json ? tl::cli::json_of(outcome) + "\n" : tl::cli::shown(outcome));
  tl::cli::note(fmt::format("log {}\n", agent.log_head()));
  return outcome.end == Outcome::End::done || outcome.end == Outcome::End::nothing ? 0 : 1;
}

bool runs_now(const Options& o, const Agent& agent) {
  if (o.run || (!o.dry_run && !agent.policy().dry_run_default)) return true;
  if (isatty(STDOUT_FILENO) != 0) tl::cli::note("Nothing was done. --run carries it out.\n");
  return false;
}

int carry_out(const Options& o, Agent& agent, const tl::agent::Plan& plan) {
  const tl::agent::Preview preview = agent.preview(plan);
  tl::cli::print_text(o.json ? tl::cli::json_of(preview) + "\n" : tl::cli::shown(preview, o.full));
  if ((preview.changes() || o.dry_run) && !runs_now(o, agent)) return 0;
  return report(o, agent, agent.run(preview, confirmation(o, agent, preview)));
}

// Takes runs back as a plan is carried out: shown first, and done once it is confirmed.
int take_back(const Options& o, Agent& agent, const tl::agent::Proposal& proposal) {
  std::vector<tl::agent::RunInfo> runs = agent.runs();
  std::erase_if(runs, [&](const tl::agent::RunInfo& run) {
    return run.in_effect == 0 || (proposal.run != 0 ? run.run != proposal.run : run.undoes != 0);
  });
  const size_t count = std::min(runs.size(), static_cast<size_t>(proposal.runs));
  if (proposal.run == 0 && !runs.empty() && runs.size() < static_cast<size_t>(proposal.runs)) {
    tl::cli::note(fmt::format("only {} can be undone\n", tl::counted(std::ssize(runs), "run")));
  }
  runs.erase(runs.begin(), runs.end() - static_cast<std::ptrdiff_t>(count));
  std::reverse(runs.begin(), runs.end());
  tl::cli::print_text(o.json ? tl::cli::json_of(runs) + "\n" : "To undo:\n" + tl::cli::shown(runs));
  if (!runs_now(o, agent)) return 0;
  if (o.yes) tl::cli::note("--yes: an undo is confirmed by a person\n");
  if (!runs.empty() && ask("Undo this? (yes/no) ") != "yes") {
    Outcome outcome;
    outcome.end = Outcome::End::denied;
    outcome.code = tl::agent::Code::not_confirmed;
    return report(o, agent, outcome);
  }
  if (runs.empty()) return report(o, agent, agent.undo(proposal.run));
  int result = 0;
  for (size_t i = 0; i < runs.size() && result == 0; ++i) result = report(o, agent, agent.undo(runs[i].run));
  return result;
}

// What a person asked for: a plan, or an answer in words.
int follow(const Options& o, Agent& agent) {
  const tl::agent::Proposal proposal = tl::agent::propose(o.request, agent.listing(), agent.root(), now());
  const bool is_refused = proposal.kind == tl::agent::Proposal::Kind::refuse;
  if (proposal.kind == tl::agent::Proposal::Kind::undo) return take_back(o, agent, proposal);
  if (proposal.kind != tl::agent::Proposal::Kind::plan) {
    if (is_refused && !o.json) throw tl::Error("refused: {}", proposal.text);
    tl::cli::print_text((o.json ? tl::cli::json_of(proposal) : proposal.text) + "\n");
    return is_refused ? 1 : 0;
  }
  tl::agent::Plan plan = tl::agent::parse_plan(proposal.text, now());
  plan.request = o.request;
  return carry_out(o, agent, plan);
}

int run(const Options& o) {
  Agent agent(policy_of(o));
  for (const std::string& note : agent.notes()) tl::cli::note(note + "\n");
  agent.confine();
  if (o.verify_log) {
    const int64_t lines = agent.verify_log();
    tl::cli::print_text(fmt::format("{}: {} lines, each follows the one before\n", agent.log().string(), lines));
    return 0;
  }
  if (o.runs) {
    tl::cli::print_text(o.json ? tl::cli::json_of(agent.runs()) + "\n" : tl::cli::shown(agent.runs()));
    return 0;
  }
  if (o.undo >= 0) return report(o, agent, agent.undo(o.undo));
  if (o.redo) return report(o, agent, agent.redo());
  if (!o.request.empty()) return follow(o, agent);
  return carry_out(o, agent, tl::agent::parse_plan(plan_text(o.plan), now()));
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(parse(argc, argv)); });
}
