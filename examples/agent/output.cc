#include "output.h"

#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/tensor/base/counted.h>
#include <tinyllm/tensor/base/names.h>

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>

namespace tinyllm::cli {
namespace {

using agent::Action;
using agent::escaped;
using Json = nlohmann::json;

constexpr size_t kShown = 20;

std::string size_of(int64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  for (; amount >= 1000 && unit + 1 < kUnits.size(); ++unit) amount /= 1000;
  return unit == 0 ? counted(bytes, "byte") : fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

// Red for what is lost without an undo, green for what is new.
std::string coloured(Action::Kind kind) {
  const std::string word = fmt::format("{:<8}", name_of(kind));
  if (isatty(STDOUT_FILENO) == 0) return word;
  const bool is_loss = kind == Action::Kind::remove || kind == Action::Kind::replace;
  const char* colour = is_loss ? "31" : kind == Action::Kind::move ? "33" : kind == Action::Kind::read ? "0" : "32";
  return fmt::format("\x1b[{}m{}\x1b[0m", colour, word);
}

std::string line_of(const Action& action) {
  std::string line = "  " + coloured(action.kind) + " ";
  if (!action.from.empty()) line += escaped(action.from);
  if (!action.from.empty() && !action.to.empty()) line += " → ";
  if (!action.to.empty()) line += escaped(action.to);
  if (action.kind == Action::Kind::make_folder) line += "/";
  if (action.files > 1) line += fmt::format("  ({})", counted(action.files, "file"));
  return line + "\n";
}

template <class List, class Line>
void add_lines(std::string& text, const List& list, bool full, Line line) {
  const size_t most = full ? list.size() : std::min(list.size(), kShown);
  for (size_t i = 0; i < most; ++i) text += line(list[i]);
  if (most < list.size()) text += fmt::format("  {} more\n", list.size() - most);
}

}  // namespace

std::string shown(const agent::Preview& preview, bool full) {
  std::string text;
  for (const agent::StepPreview& step : preview.steps) {
    text += fmt::format("{}. {}: {}", step.step, name_of(step.operation), counted(step.files, "file"));
    if (step.folders > 0) text += ", " + counted(step.folders, "folder");
    if (step.bytes > 0) text += ", " + size_of(step.bytes);
    text += "\n";
    add_lines(text, step.actions, full, line_of);
    add_lines(text, step.found, full, [](const std::string& path) { return "  " + escaped(path) + "\n"; });
    add_lines(text, step.notes, full, [](const std::string& note) { return "  note: " + note + "\n"; });
  }
  return text;
}

std::string shown(const agent::Outcome& outcome) {
  std::string text;
  for (const agent::ReadText& read : outcome.texts) {
    text += read.text;
    if (!read.text.ends_with('\n')) text += '\n';
    if (read.is_cut) text += fmt::format("({}: only its first MB is shown)\n", escaped(read.path));
  }
  if (!outcome.texts.empty() && outcome.end == agent::Outcome::End::done && outcome.run == 0) return text;
  text += name_of(outcome.end);
  if (outcome.run != 0) text += fmt::format(", run {}", outcome.run);
  if (outcome.code) text += fmt::format(" ({})", name_of(*outcome.code));
  if (!outcome.message.empty()) text += ": " + outcome.message;
  text += "\n";
  for (const std::string& problem : outcome.problems) text += "  " + problem + "\n";
  return text;
}

std::string shown(const std::vector<agent::RunInfo>& runs) {
  std::string text;
  for (const agent::RunInfo& run : runs) {
    const std::string what = run.undoes != 0 ? fmt::format("undo of run {}", run.undoes) : escaped(run.request);
    const char* state = run.in_effect == 0 ? "undone" : run.in_effect < run.changes ? "undone in part" : "in effect";
    text += fmt::format("{:>4}  {}  {:>6}  {:<14}  {}\n", run.run, run.time, run.changes, state, what);
  }
  return text.empty() ? "no runs\n" : text;
}

std::string json_of(const agent::Preview& preview) {
  Json steps = Json::array();
  for (const agent::StepPreview& step : preview.steps) {
    Json actions = Json::array();
    for (const Action& action : step.actions) {
      actions.push_back({{"what", name_of(action.kind)},
                         {"from", escaped(action.from)},
                         {"to", escaped(action.to)},
                         {"files", action.files},
                         {"bytes", action.bytes}});
    }
    std::vector<std::string> found;
    for (const std::string& path : step.found) found.push_back(escaped(path));
    steps.push_back({{"step", step.step},
                     {"operation", name_of(step.operation)},
                     {"actions", actions},
                     {"found", found},
                     {"notes", step.notes},
                     {"files", step.files},
                     {"folders", step.folders},
                     {"bytes", step.bytes}});
  }
  const int64_t number = preview.number_to_type();
  return Json{{"steps", steps}, {"files", preview.files}, {"number_to_type", number < 0 ? Json() : Json(number)}}
      .dump();
}

std::string json_of(const agent::Outcome& outcome) {
  Json texts = Json::array();
  for (const agent::ReadText& read : outcome.texts) {
    texts.push_back({{"path", escaped(read.path)}, {"text", read.text}, {"cut", read.is_cut}});
  }
  return Json{{"end", name_of(outcome.end)},
              {"run", outcome.run},
              {"steps_done", outcome.steps_done},
              {"code", outcome.code ? Json(name_of(*outcome.code)) : Json()},
              {"message", outcome.message},
              {"problems", outcome.problems},
              {"texts", texts}}
      .dump();
}

std::string json_of(const std::vector<agent::RunInfo>& runs) {
  Json list = Json::array();
  for (const agent::RunInfo& run : runs) {
    list.push_back({{"run", run.run},
                    {"undoes", run.undoes},
                    {"request", escaped(run.request)},
                    {"time", run.time},
                    {"changes", run.changes},
                    {"in_effect", run.in_effect}});
  }
  return Json{{"runs", list}}.dump();
}

std::string json_of(const agent::Proposal& proposal) {
  return Json{{"kind", name_of(proposal.kind)},
              {"code", proposal.code.empty() ? Json() : Json(proposal.code)},
              {"text", proposal.text}}
      .dump();
}

}  // namespace tinyllm::cli
