// What an agent is made of. Not installed.
#pragma once

#include <tinyllm/runtime/agent/agent.h>
#include <tinyllm/runtime/agent/audit.h>
#include <tinyllm/runtime/agent/guard.h>
#include <tinyllm/runtime/agent/mover.h>
#include <tinyllm/runtime/agent/stage.h>

#include <map>
#include <set>

namespace tinyllm::agent {

struct Agent::Parts {
  explicit Parts(Policy given, Options options);

  Policy policy;
  FailPoint at;
  Root root;
  Guard guard;
  std::unique_ptr<State> state;
  std::unique_ptr<AuditLog> log;
  std::string user;
  std::vector<std::string> notes;
  Mover mover;

  void need_state();
  void recover();
  AuditHead kept_head() const;
  void keep_head() const;
  Json entry(std::string_view operation, std::string_view result) const;

  // run.cc
  Outcome run(const Preview& preview, const Confirmation& confirmation);
  void check_sources(const Preview& preview) const;
  ReadText read(const std::string& path) const;
  Outcome carry_out(const Preview& preview, Outcome outcome);
  void do_step(const StepPreview& step, StepRecord record, Journal& journal, StepRecord& kept);
  void log_step(const Preview& preview, const StepPreview& step, int64_t run);
  Outcome roll_back(const RunRecord& done, const AgentError& error, Outcome outcome);

  // undo.cc
  using Made = std::set<std::pair<int64_t, int64_t>>;  // Moves by step and index.
  std::map<int64_t, RunRecord> records() const;
  static Made in_effect(const std::map<int64_t, RunRecord>& records, int64_t run);
  Outcome take_back(int64_t run, const std::map<int64_t, RunRecord>& records);
  std::optional<AgentError> why_stays(const Move& move, int64_t run) const;
};

}  // namespace tinyllm::agent
