#include <tinyllm/runtime/documents/child_process.h>

#include <tinyllm/runtime/documents/document.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace tinyllm::documents {
namespace {

using Clock = std::chrono::steady_clock;

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) throw TemporaryError("a pipe cannot be made: {}", std::strerror(errno));
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reads() const { return ends_[0]; }
  int writes() const { return ends_[1]; }
  void close_end(size_t end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// What the child says before it becomes the program.
struct Report {
  int is_without_network = 0;
  int error = 0;
};

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  setrlimit(static_cast<decltype(RLIMIT_AS)>(resource), &both);
}

// Runs in the child, where only system calls are safe: other threads may have held any lock when it was made.
[[noreturn]] void become(const char* program, char* const* arguments, const ChildLimits& limits, int file, int output,
                         int errors, int report) {
  constexpr int kFirstFree = 16;
  static constexpr std::array<const char*, 4> kEnvironment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/",
                                                              nullptr};
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // Out of the way of the numbers that they get.
  file = fcntl(file, F_DUPFD, kFirstFree);
  output = fcntl(output, F_DUPFD, kFirstFree);
  errors = fcntl(errors, F_DUPFD, kFirstFree);
  report = fcntl(report, F_DUPFD, kFirstFree);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, 0);
  dup2(output, 1);
  dup2(errors, 2);
  dup2(file, 3);
  close_range(4, ~0U, CLOSE_RANGE_CLOEXEC);
  limit(RLIMIT_CPU, static_cast<rlim_t>(limits.seconds));
  limit(RLIMIT_AS, limits.memory);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  Report said;
  said.is_without_network = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  [[maybe_unused]] auto written = write(report, &said, sizeof said);
  execve(program, arguments, const_cast<char* const*>(kEnvironment.data()));
  said.error = errno;
  written = write(report, &said, sizeof said);
  _exit(127);
}

class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) { setpgid(pid, pid); }
  ~Child() {
    if (pid_ > 0) wait(true);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int wait(bool kills) {
    if (kills && kill(-pid_, SIGKILL) != 0) kill(pid_, SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_;
};

// Appends what can be read; false at the end.
bool read_more(int fd, std::string& into) {
  std::array<char, 1 << 16> buffer;
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  if (got > 0) into.append(buffer.data(), static_cast<size_t>(got));
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

void read_all(Pipe& output, Pipe& errors, std::string_view name, const ChildLimits& limits, ChildResult& result) {
  constexpr size_t kMostErrors = size_t{16} << 10;
  const Clock::time_point end = Clock::now() + std::chrono::seconds(limits.seconds);
  std::array<pollfd, 2> open = {pollfd{output.reads(), POLLIN, 0}, pollfd{errors.reads(), POLLIN, 0}};
  while (open[0].fd >= 0 || open[1].fd >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) throw TemporaryError("{} took longer than {} s, which is the limit", name, limits.seconds);
    if (poll(open.data(), open.size(), static_cast<int>(left)) < 0 && errno != EINTR) break;
    if (open[0].revents != 0 && !read_more(open[0].fd, result.output)) open[0].fd = -1;
    if (open[1].revents != 0 && !read_more(open[1].fd, result.errors)) open[1].fd = -1;
    result.errors.resize(std::min(result.errors.size(), kMostErrors));
    if (result.output.size() > limits.output_bytes) {
      throw Error("{} makes more than {} MB of output, which is the limit", name, limits.output_bytes >> 20);
    }
  }
}

}  // namespace

std::string find_program(std::string_view name) {
  const char* variable = std::getenv("PATH");
  std::string_view path = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  while (!path.empty()) {
    const size_t end = std::min(path.find(':'), path.size());
    const std::string program = std::string(path.substr(0, end)).append("/").append(name);
    if (end > 0 && path[0] == '/' && access(program.c_str(), X_OK) == 0) return program;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return "";
}

ChildResult run_child(const std::vector<std::string>& arguments, std::string_view package, int file,
                      const ChildLimits& limits) {
  const std::string& name = arguments.at(0);
  const std::string program = find_program(name);
  if (program.empty()) throw TemporaryError("{} is not installed: install the package {}", name, package);
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  Pipe output;
  Pipe errors;
  Pipe report;
  const pid_t pid = fork();
  if (pid < 0) throw TemporaryError("{} cannot be started: {}", name, std::strerror(errno));
  if (pid == 0) {
    become(program.c_str(), pointers.data(), limits, file, output.writes(), errors.writes(), report.writes());
  }
  Child child(pid);
  for (Pipe* pipe : {&output, &errors, &report}) pipe->close_end(1);
  ChildResult result;
  read_all(output, errors, name, limits, result);
  std::string said;
  while (read_more(report.reads(), said)) {
  }
  Report last;
  if (said.size() >= sizeof last) std::memcpy(&last, said.data() + said.size() - sizeof last, sizeof last);
  if (last.error != 0) throw TemporaryError("{} cannot be started: {}", program, std::strerror(last.error));
  result.is_without_network = last.is_without_network != 0;
  result.exit_code = child.wait(false);
  return result;
}

}  // namespace tinyllm::documents
