#pragma once

#include <tinyllm/runtime/agent/policy.h>
#include <tinyllm/runtime/agent/preview.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

/// What a person said to a preview. `typed` is the number they typed, where one is needed.
struct Confirmation {
  bool yes = false;
  std::optional<int64_t> typed;
};

/// A text that a read step gave.
struct ReadText {
  std::string path, text;
  bool is_cut = false;  ///< The file has more than kMaxShown bytes.
};
inline constexpr size_t kMaxShown = size_t{1} << 20;

/// How a run ended.
struct Outcome {
  enum class End : uint8_t {
    done,         ///< All of it.
    partial,      ///< Some steps, or for an undo some files: `problems` has the others.
    rolled_back,  ///< A step failed, and the steps before it were taken back.
    denied,       ///< Nothing was done.
    nothing       ///< There was nothing to undo.
  };
  End end = End::done;
  int64_t run = 0;  ///< Its number, which `undo` takes; 0 if it changed nothing.
  size_t steps_done = 0;
  std::optional<Code> code;  ///< Of what went wrong first.
  std::string message;
  std::vector<std::string> problems;
  std::vector<ReadText> texts;
};
constexpr auto names(Outcome::End) { return std::array{"done", "partial", "rolled_back", "denied", "nothing to undo"}; }

/// A run that can be looked up.
struct RunInfo {
  int64_t run = 0;
  int64_t undoes = 0;  ///< The run that it takes back; 0 for none.
  std::string request, time;
  size_t changes = 0;    ///< Moves of files and folders.
  size_t in_effect = 0;  ///< Those that no undo has taken back.
};

/// Where a log of runs is if the policy names none: $XDG_STATE_HOME/tinyllm/agent.jsonl, or the same below
/// ~/.local/state. Throws AgentError with `log_unwritable` when neither is known.
std::filesystem::path default_log();

/// Carries out plans below one folder, all of them or nothing, and takes them back. Everything that it keeps there is
/// in
/// `<root>/.agent`, which is made by the first run that changes something. The agent belongs to one thread at a time.
class Agent {
 public:
  struct Options {
    /// Called before and after everything that changes the disk; for tests.
    std::function<void(const char*)> at;
  };

  /// Opens and locks the root and the log, and rolls back a run that was cut off. Throws AgentError: `not_found`,
  /// `busy`, `log_unwritable`, `log_tampered`.
  explicit Agent(Policy policy, Options options = {});
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  const Policy& policy() const;
  /// The real path of the root.
  const std::string& root() const;
  /// What was found and done at the start, such as a run that was rolled back; one line each.
  const std::vector<std::string>& notes() const;

  /// Every file and folder that plans may name, folders with a slash at the end; for `propose`.
  std::vector<std::string> listing();
  /// Tries a plan on a model of the tree. Writes nothing but, if it is refused, a line of the log. Throws AgentError.
  Preview preview(const Plan& plan);
  /// Carries out what a preview showed. What has changed since is not touched: the run fails with `changed_since_plan`.
  /// With `not_confirmed` if the confirmation does not suffice. Throws only if the log cannot be written.
  Outcome run(const Preview& preview, const Confirmation& confirmation);
  /// Takes back a run, or the last one that is in effect. What has changed since stays as it is, and is reported.
  Outcome undo(int64_t run = 0);
  /// Takes back the last undo.
  Outcome redo();
  /// Runs that changed something, the oldest first.
  std::vector<RunInfo> runs() const;

  /// Limits this process to the root and the log by Landlock, if the kernel has it. Cannot be taken back. Returns
  /// whether it was done.
  bool confine();

  /// Checks the whole log. Returns its lines. Throws AgentError with `log_tampered`.
  int64_t verify_log() const;
  const std::filesystem::path& log() const;
  /// The number and the hash of the last line of the log, to write down elsewhere.
  std::string log_head() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tinyllm::agent
