#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace tinyllm {

/// A live page of a run, served over HTTP by one thread, which sleeps between requests. The browser asks for new lines
/// of the run's metrics.jsonl. The file need not exist yet and may be replaced. No client can use up the process's
/// memory or files (http.h).
class Dashboard {
 public:
  /// Serves on a port (0: a free one) of an IP address of this machine. On a loopback address only requests that name
  /// this machine as their host are answered, so that no page from elsewhere can read the run. Throws Error when the
  /// port is in use, or when the library was built without Boost.
  Dashboard(int port, std::filesystem::path metrics, const std::string& address = "127.0.0.1");
  /// Stops serving at once.
  ~Dashboard();
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

  int port() const { return port_; }

 private:
  struct Server;
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

}  // namespace tinyllm
