#include <tinyllm/runtime/agent/agent.h>

#include <tinyllm/runtime/agent/confine.h>
#include <tinyllm/runtime/agent/dry_run.h>
#include <tinyllm/runtime/agent/parts.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/names.h>
#include <tinyllm/tensor/base/utf8.h>

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace tinyllm::agent {
namespace {

constexpr const char* kHead = ".agent/head";
constexpr size_t kMaxRequest = 500;

std::string user_name() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): an agent belongs to one thread.
  const passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? escaped(entry->pw_name) : fmt::format("{}", geteuid());
}

std::string utc_now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", text.data(), now.tv_nsec / 1'000'000);
}

}  // namespace

std::filesystem::path default_log() {
  // NOLINTBEGIN(concurrency-mt-unsafe): nothing here sets the environment.
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::filesystem::path(state) / "tinyllm" / "agent.jsonl";
  const char* home = std::getenv("HOME");
  // NOLINTEND(concurrency-mt-unsafe)
  if (home != nullptr && *home == '/') return std::filesystem::path(home) / ".local/state/tinyllm/agent.jsonl";
  throw AgentError(Code::log_unwritable, "the log has no place: neither XDG_STATE_HOME nor HOME is set");
}

Agent::Parts::Parts(Policy given, Options options)
    : policy(std::move(given)),
      at(std::move(options.at)),
      root(policy.root),
      guard(policy, root.path()),
      state(State::open(root, false)),
      user(user_name()),
      mover(root, at) {
  if (policy.log_path.empty()) policy.log_path = default_log();
  const auto stay_out = [&](std::string_view real) {
    if (!is_within(real, root.path())) return;
    throw AgentError(Code::protected_path, "log {}: lies in the root, where plans could change it",
                     escaped(policy.log_path.string()));
  };
  // Before the log is opened, which makes it and its folders; and after, because a link may have come in between.
  std::error_code error;
  const auto folder = std::filesystem::weakly_canonical(absolute_path(policy.log_path).parent_path(), error);
  if (!error) stay_out(folder.string());
  log = std::make_unique<AuditLog>(policy.log_path, kept_head());
  std::array<char, 1 << 12> real{};
  const ssize_t size = readlink(fmt::format("/proc/self/fd/{}", log->handle()).c_str(), real.data(), real.size());
  stay_out(size > 0 ? std::string_view(real.data(), static_cast<size_t>(size)) : root.path());
  if (!root.kernel_resolves()) {
    notes.emplace_back("the kernel has no openat2: folders are opened one by one, which is slower");
  }
  if (state) recover();
}

void Agent::Parts::need_state() {
  if (!state) state = State::open(root, true);
}

AuditHead Agent::Parts::kept_head() const {
  if (!state || !root.status(kHead)) return {};
  const Json head = parse_json_object(read_text(root.file(kHead).get(), 1 << 12, kHead), kHead);
  if (text(head, "log") != escaped(absolute_path(policy.log_path).string())) return {};
  AuditHead kept;
  read_field(head, "lines", kept.lines);
  kept.hash = text(head, "hash");
  return kept;
}

void Agent::Parts::keep_head() const {
  if (!state) return;
  const Json head = {{"log", escaped(absolute_path(policy.log_path).string())},
                     {"lines", log->head().lines},
                     {"hash", log->head().hash}};
  const std::string text = head.dump();
  const Handle file(openat(state->folder(), "head.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  // An older head is still a head of this log.
  if (!file || write(file.get(), text.data(), text.size()) != std::ssize(text) ||
      renameat(state->folder(), "head.new", state->folder(), "head") != 0) {
    unlinkat(state->folder(), "head.new", 0);
  }
}

Json Agent::Parts::entry(std::string_view operation, std::string_view result) const {
  return {{"time", utc_now()},
          {"user", user},
          {"root", escaped(root.path())},
          {"operation", operation},
          {"result", result}};
}

void Agent::Parts::recover() {
  for (const int64_t run : state->runs()) {
    RunRecord record = Journal::read(root, run);
    if (record.status != RunRecord::Status::open) continue;
    const std::vector<std::string> problems = mover.take_back(record);
    Json line = entry("recover", problems.empty() ? "rolled_back" : "partial");
    line["run"] = run;
    line["problems"] = problems;
    log->append(std::move(line));
    keep_head();
    mover.at("before end of recovery");
    // What could not go back is still in the backup folder, which then stays.
    if (problems.empty()) state->drop_backup(run);
    Journal::rolled_back(root, run);
    notes.push_back(fmt::format("run {} was cut off, and was rolled back", run));
    for (const std::string& problem : problems) notes.push_back("  except " + problem);
  }
}

Agent::Agent(Policy policy, Options options) : parts_(std::make_unique<Parts>(std::move(policy), std::move(options))) {}
Agent::~Agent() = default;

const Policy& Agent::policy() const { return parts_->policy; }
const std::string& Agent::root() const { return parts_->root.path(); }
const std::vector<std::string>& Agent::notes() const { return parts_->notes; }
const std::filesystem::path& Agent::log() const { return parts_->policy.log_path; }

std::vector<std::string> Agent::listing() {
  // A person who asks is not a plan: names are listed also where plans may not list.
  Policy policy = parts_->policy;
  policy.allow_ops.insert(Operation::list);
  Plan plan;
  plan.steps.push_back({.operation = Operation::list, .pattern = "**"});
  return DryRun(parts_->root, parts_->guard, policy).run(plan).steps.front().found;
}

Preview Agent::preview(const Plan& plan) {
  try {
    return DryRun(parts_->root, parts_->guard, parts_->policy).run(plan);
  } catch (const AgentError& error) {
    Json line = parts_->entry("plan", "denied");
    line["code"] = name_of(error.code());
    line["why"] = error.what();
    line["request"] = replace_invalid_utf8(plan.request.substr(0, character_cut(plan.request, kMaxRequest)));
    parts_->log->append(std::move(line));
    parts_->keep_head();
    throw;
  }
}

Outcome Agent::run(const Preview& preview, const Confirmation& confirmation) {
  return parts_->run(preview, confirmation);
}

bool Agent::confine() {
  tzset();  // Reads a file that is out of reach afterwards.
  return agent::confine(parts_->root.handle(), parts_->policy.log_path.parent_path());
}

int64_t Agent::verify_log() const { return agent::verify_log(parts_->policy.log_path, parts_->kept_head()).lines; }

std::string Agent::log_head() const {
  return fmt::format("{}:{}", parts_->log->head().lines, parts_->log->head().hash);
}

}  // namespace tinyllm::agent
