#include "runtime/agent/crash.h"

#include <doctest/doctest.h>

#include <tinyllm/tensor/base/names.h>

#include "runtime/agent/files.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>

namespace fs = std::filesystem;
using namespace tinyllm::agent;

namespace tinyllm::test {
namespace {

constexpr int kNoTime = 0;

void carry_out(Agent& agent, const std::string& plan) {
  const Preview preview = agent.preview(parse_plan(plan, kNoTime));
  const Outcome outcome = agent.run(preview, {.yes = true, .typed = preview.number_to_type()});
  if (outcome.end != Outcome::End::done) throw std::runtime_error(outcome.message);
}

// Does something in a process that ends at its k-th fail point. Returns whether it got there.
bool killed_at(int k, const Policy& policy, const std::function<void(Agent&)>& work) {
  const pid_t child = fork();
  if (child == 0) {
    int point = 0;
    Agent::Options options;
    options.at = [&](const char*) {
      if (point++ == k) kill(getpid(), SIGKILL);
    };
    try {
      Agent agent(policy, options);
      work(agent);
      _exit(0);
    } catch (const std::exception&) {
      _exit(1);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
  return WIFSIGNALED(status);
}

// A run that was rolled back leaves nothing behind.
bool has_backups(const fs::path& root) { return !fs::is_empty(root / ".agent/backup"); }

void check_crash_of_run(const Policy& policy, const std::string& plan, int k, bool& killed) {
  const auto before = snapshot(policy.root);
  killed = killed_at(k, policy, [&](Agent& agent) { carry_out(agent, plan); });
  Agent agent(policy);
  if (killed && snapshot(policy.root) == before) {
    CHECK(!has_backups(policy.root));
    CHECK(agent.undo().end == Outcome::End::nothing);
  } else {
    // It ended, or was killed after it had committed: then it is there as a whole, and can be undone.
    CHECK(agent.undo().end == Outcome::End::done);
  }
  CHECK(difference(before, snapshot(policy.root)) == "");
}

void check_crash_of_undo(const Policy& policy, const std::string& plan, int k, bool& killed) {
  const auto before = snapshot(policy.root);
  {
    Agent agent(policy);
    carry_out(agent, plan);
  }
  const auto after = snapshot(policy.root);
  killed = killed_at(k, policy, [](Agent& agent) { agent.undo(); });
  Agent agent(policy);
  const auto recovered = snapshot(policy.root);
  if (recovered != before) {
    CHECK(recovered == after);
    CHECK(agent.undo().end == Outcome::End::done);
  }
  CHECK(difference(before, snapshot(policy.root)) == "");
}

}  // namespace

void check_every_crash(const Policy& policy, const std::string& plan, Killed killed) {
  constexpr int kMost = 1000;
  bool was_killed = true;
  int k = 0;
  for (; was_killed && k < kMost; ++k) {
    CAPTURE(k);
    const auto before = snapshot(policy.root);
    if (killed == Killed::run) check_crash_of_run(policy, plan, k, was_killed);
    if (killed == Killed::undo) check_crash_of_undo(policy, plan, k, was_killed);
    if (snapshot(policy.root) != before) break;
    fs::remove_all(policy.root / ".agent");  // Each one begins as the first one did.
    std::error_code ignored;
    fs::last_write_time(policy.root, fs::file_time_type::clock::now(), ignored);
  }
  CHECK(k > 10);
  CHECK(k < kMost);
}

RaceResult run_race(const Policy& given, const fs::path& top, const std::string& name, const std::string& plan,
                    int rounds) {
  constexpr int kRestart = 2000;  // Rounds after which the journals are removed.
  Policy policy = given;
  policy.backup = false;
  const fs::path inside = policy.root / name, link = top / "link";
  fs::create_symlink(top / "outside" / name, link);
  const pid_t neighbour = fork();
  if (neighbour == 0) {
    for (;;) syscall(SYS_renameat2, AT_FDCWD, inside.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
  }
  const std::set<Code> expected = {Code::symlink, Code::not_found, Code::changed_since_plan, Code::changed_since_run};
  RaceResult result;
  std::unique_ptr<Agent> agent;
  for (int i = 0; i < rounds; ++i) {
    if (i % kRestart == 0) {
      agent.reset();
      fs::remove_all(policy.root / ".agent");
      fs::remove(policy.log_path);
      agent = std::make_unique<Agent>(policy);
    }
    const auto note = [&](Code code, const std::string& message) {
      ++result.refused;
      if (!expected.contains(code) && result.unexpected.empty()) result.unexpected = message;
    };
    try {
      const Preview preview = agent->preview(parse_plan(plan, kNoTime));
      const Outcome outcome = agent->run(preview, {.yes = true, .typed = preview.number_to_type()});
      if (outcome.end == Outcome::End::done) {
        ++result.done;
      } else {
        note(outcome.code.value(), outcome.message);
      }
    } catch (const AgentError& error) {
      note(error.code(), error.what());
    }
  }
  kill(neighbour, SIGKILL);
  waitpid(neighbour, nullptr, 0);
  // The folder that is inside may have ended at the link's place.
  if (fs::is_symlink(inside)) syscall(SYS_renameat2, AT_FDCWD, inside.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
  return result;
}

}  // namespace tinyllm::test
