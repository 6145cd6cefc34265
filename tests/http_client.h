#pragma once

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

namespace tinyllm::test {

/// A connection to a server on this machine that sends and reads plain bytes.
class HttpClient {
 public:
  explicit HttpClient(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~HttpClient() { close(); }
  HttpClient(HttpClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  HttpClient& operator=(HttpClient&&) = delete;

  /// Returns whether the server still takes the bytes.
  bool send(std::string_view bytes) {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  /// All that the server sends until it closes.
  std::string read_all() {
    std::string text;
    while (read_some(text)) {
    }
    return text;
  }

  /// What the server sends up to the end of some words, or until it closes.
  std::string read_until(std::string_view words) {
    std::string text;
    while (text.find(words) == std::string::npos && read_some(text)) {
    }
    return text;
  }

  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

 private:
  bool read_some(std::string& text) {
    char bytes[65536];
    const ssize_t size = recv(socket_, bytes, sizeof bytes, 0);
    if (size > 0) text.append(bytes, static_cast<size_t>(size));
    return size > 0;
  }

  int socket_;
};

/// Lets the process have only so many open files while it lives.
class FileLimit {
 public:
  explicit FileLimit(rlim_t files) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit low{.rlim_cur = files, .rlim_max = before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  }
  ~FileLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
};

/// What a server answers to the text of a request, up to where it closes.
inline std::string answer(int port, std::string_view request) {
  HttpClient client(port);
  client.send(request);
  return client.read_all();
}

inline std::string get(int port, std::string_view path, std::string_view host = "localhost") {
  return answer(port, fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, host));
}

inline std::string status(const std::string& reply) { return reply.substr(0, reply.find('\r')); }
inline std::string body(const std::string& reply) { return reply.substr(reply.find("\r\n\r\n") + 4); }

inline std::string header(const std::string& reply, const std::string& name) {
  const size_t start = reply.find(name + ": ") + name.size() + 2;
  return reply.substr(start, reply.find('\r', start) - start);
}

}  // namespace tinyllm::test
