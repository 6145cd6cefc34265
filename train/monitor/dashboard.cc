#include <tinyllm/train/monitor/dashboard.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/monitor/report_page.h>

#ifdef TINYLLM_HTTPLIB
#include <httplib.h>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string_view>
#include <thread>
#endif

namespace tinyllm {

#ifdef TINYLLM_HTTPLIB
namespace {

// Bytes of the log in one reply: what a socket takes at once, also where training leaves the browser no time to read.
constexpr int64_t kMaxReply = 1 << 20;

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "localhost" || address == "::1";
}

// Whether a Host header, whatever its port, names this machine.
bool names_loopback(std::string_view host) {
  constexpr std::array<std::string_view, 3> kNames = {"localhost", "127.0.0.1", "[::1]"};
  const size_t colon = host.rfind(':');
  const bool has_port = colon != std::string_view::npos && !host.ends_with(']');
  const std::string_view name = host.substr(0, has_port ? colon : host.size());
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

int64_t number(const httplib::Request& request, const char* name) {
  const std::string text = request.get_param_value(name);
  int64_t value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// What the log has from ?from= on, if it is still the ?file= that was read up to there; else from its beginning.
// A log that is started again is another file: its number says so.
void reply_lines(const std::filesystem::path& path, const httplib::Request& request, httplib::Response& response) {
  struct stat about {};
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_there = file >= 0 && fstat(file, &about) == 0;
  const auto size = static_cast<int64_t>(about.st_size);
  const auto id = static_cast<int64_t>(about.st_ino);
  int64_t from = number(request, "from");
  if (number(request, "file") != id || from < 0 || from > size) from = 0;
  std::string bytes(static_cast<size_t>(std::min(size - from, kMaxReply)), '\0');
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(pread(file, bytes.data(), bytes.size(), from), 0)));
  if (file >= 0) close(file);
  using std::chrono::system_clock;
  const int64_t age = system_clock::to_time_t(system_clock::now()) - about.st_mtime;
  response.set_header("Metrics-File", fmt::format("{}", id));
  response.set_header("Metrics-From", fmt::format("{}", from));
  response.set_header("Metrics-Age", fmt::format("{}", is_there ? std::max<int64_t>(age, 0) : 0));
  response.set_header("Cache-Control", "no-store");
  response.set_content(bytes, "application/x-ndjson");  // A type that is not compressed: time is training's.
}

}  // namespace

struct Dashboard::Server {
  httplib::Server http;
  std::thread thread;
};

Dashboard::Dashboard(int port, std::filesystem::path metrics, const std::string& address)
    : server_(std::make_unique<Server>()) {
  httplib::Server& http = server_->http;
  http.new_task_queue = [] { return new httplib::ThreadPool(2); };
  // Not the default, with which a second run could share the port of the first.
  http.set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  // What a silent browser can make the destructor wait for, in seconds.
  http.set_keep_alive_timeout(1);
  http.set_keep_alive_max_count(1);
  http.set_read_timeout(1);
  http.set_write_timeout(1);
  http.set_payload_max_length(0);
  http.set_default_headers({{"X-Content-Type-Options", "nosniff"}, {"X-Frame-Options", "DENY"}});
  http.set_pre_routing_handler([is_local = is_loopback(address)](const auto& request, auto& response) {
    if (!is_local || names_loopback(request.get_header_value("Host")))
      return httplib::Server::HandlerResponse::Unhandled;
    response.status = 403;
    return httplib::Server::HandlerResponse::Handled;
  });
  http.Get("/", [](const auto&, auto& response) { response.set_content(live_page(), "text/html; charset=utf-8"); });
  http.Get("/metrics", [metrics = std::move(metrics)](const auto& request, auto& response) {
    reply_lines(metrics, request, response);
  });
  if (port < 0 || port > 65535) throw Error("port {} of the live page: expected 0 to 65535", port);
  port_ = port;
  const bool is_bound = port == 0 ? (port_ = http.bind_to_any_port(address)) > 0 : http.bind_to_port(address, port);
  if (!is_bound)
    throw Error("the live page cannot be served on port {} of {}: it is in use, or not ours", port, address);
  server_->thread = std::thread([&http] { http.listen_after_bind(); });
  while (!http.is_running()) std::this_thread::yield();  // Before that, stop() would do nothing.
}

Dashboard::~Dashboard() {
  server_->http.stop();
  server_->thread.join();
}

#else

struct Dashboard::Server {};

Dashboard::Dashboard(int, std::filesystem::path, const std::string&) {
  throw Error("there is no live page: cpp-httplib was missing when tinyllm was built");
}

Dashboard::~Dashboard() = default;

#endif

}  // namespace tinyllm
