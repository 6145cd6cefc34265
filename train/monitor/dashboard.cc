#include <tinyllm/train/monitor/dashboard.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/monitor/report_page.h>

#ifdef TINYLLM_HTTP
#include <tinyllm/runtime/http/http.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#endif

namespace tinyllm {

#ifdef TINYLLM_HTTP
namespace {

// Bytes of the log in one reply.
constexpr int64_t kMaxReply = 1 << 20;

// A browser opens a few connections, each for one request.
constexpr HttpLimits kLimits = {.connections = 16,
                                .requests = 1,
                                .idle_timeout = std::chrono::seconds(5),
                                .header_timeout = std::chrono::seconds(5),
                                .write_timeout = std::chrono::seconds(10)};

// An open file that closes itself; -1 if there is none.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

int64_t number(const HttpRequest& request, std::string_view name) {
  const std::string text = request.parameter(name).value_or("");
  int64_t value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Replies with the log from byte ?from= on if its file number is still ?file=, else from the beginning. A log that was
// started again is another file, with another number.
void reply_lines(const std::filesystem::path& path, const HttpRequest& request, HttpReply& reply) {
  struct stat about {};
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0 && errno != ENOENT) throw Error("{}: cannot be opened: {}", path.string(), std::strerror(errno));
  const bool exists = file.fd >= 0 && fstat(file.fd, &about) == 0;
  const auto size = static_cast<int64_t>(about.st_size);
  const auto id = static_cast<int64_t>(about.st_ino);
  int64_t from = number(request, "from");
  if (number(request, "file") != id || from < 0 || from > size) from = 0;
  std::string bytes(static_cast<size_t>(std::min(size - from, kMaxReply)), '\0');
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(pread(file.fd, bytes.data(), bytes.size(), from), 0)));
  using std::chrono::system_clock;
  const int64_t age = system_clock::to_time_t(system_clock::now()) - about.st_mtime;
  reply.send(200, "application/x-ndjson", bytes,
             {{"Metrics-File", fmt::format("{}", id)},
              {"Metrics-From", fmt::format("{}", from)},
              {"Metrics-Age", fmt::format("{}", exists ? std::max<int64_t>(age, 0) : 0)},
              {"Cache-Control", "no-store"}});
}

void answer(const std::filesystem::path& metrics, const HttpRequest& request, HttpReply& reply) {
  const bool is_page = request.path == "/";
  if (!is_page && request.path != "/metrics") return reply.send(404, "text/plain", "no such page\n");
  if (request.method != "GET" && request.method != "HEAD") {
    return reply.send(405, "text/plain", "expected GET\n", {{"Allow", "GET, HEAD"}});
  }
  if (is_page) return reply.send(200, "text/html; charset=utf-8", live_page());
  reply_lines(metrics, request, reply);
}

}  // namespace

struct Dashboard::Server {
  Server(const HttpOptions& options, const HttpHandler& handler) : http(options, handler) {}
  HttpServer http;
};

Dashboard::Dashboard(int port, std::filesystem::path metrics, const std::string& address) {
  const HttpHandler handler = [metrics = std::move(metrics)](HttpRequest&& request, HttpReply&& reply) {
    answer(metrics, request, reply);
  };
  try {
    server_ = std::make_unique<Server>(HttpOptions{address, port, kLimits}, handler);
  } catch (const Error& error) {
    throw Error("the live page cannot be served: {}", error.what());
  }
  port_ = server_->http.port();
}

Dashboard::~Dashboard() = default;

#else

struct Dashboard::Server {};

Dashboard::Dashboard(int, std::filesystem::path, const std::string&) {
  throw Error("live page: not available, Boost was missing when tinyllm was built");
}

Dashboard::~Dashboard() = default;

#endif

}  // namespace tinyllm
