#include <tinyllm/runtime/http/http_connection.h>

#include <boost/beast/http/status.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <system_error>

namespace tinyllm {
namespace {

// Before another attempt to accept, after one that failed: usually because no file descriptor is free.
constexpr std::chrono::milliseconds kAcceptPause{100};

// A quarter of the process's files at most: the rest is for others.
size_t most_connections(const HttpLimits& limits) {
  rlimit files{};
  size_t most = limits.connections;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) most = std::min<size_t>(most, files.rlim_cur / 4);
  return std::max<size_t>(most, 1);
}

}  // namespace

std::string http_head(int status, std::string_view type, const HttpFields& headers, std::string_view framing,
                      bool keeps_alive) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{}", status,
                                 std::string_view(reason.data(), reason.size()), type, framing);
  for (const auto& [name, value] : headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) throw Error("HTTP header {}: has a line end", name);
    head += fmt::format("{}: {}\r\n", name, value);
  }
  return head + fmt::format("X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nConnection: {}\r\n\r\n",
                            keeps_alive ? "keep-alive" : "close");
}

HttpServer::Loop::Loop(const HttpOptions& given, HttpHandler handle)
    : options(given), most(most_connections(given.limits)), handler(std::move(handle)) {
  Failure failure;
  const auto address = asio::ip::make_address(options.address, failure);
  if (failure) throw Error("address {}: expected an IP address", options.address);
  if (options.port < 0 || options.port > 65535) throw Error("port {}: expected 0 to 65535", options.port);
  const asio::ip::tcp::endpoint endpoint(address, static_cast<unsigned short>(options.port));
  is_loopback = options.checks_host && address.is_loopback();
  acceptor.open(endpoint.protocol(), failure);
  // A port whose last connections are still being closed may be used again; one that is in use may not.
  if (!failure) acceptor.set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) acceptor.bind(endpoint, failure);
  if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (!failure) port = acceptor.local_endpoint(failure).port();
  if (failure) throw Error("port {} of {}: {}", options.port, options.address, failure.message());
}

HttpRefusal HttpServer::Loop::refusal(int status, std::string_view message) const {
  if (options.refusal) return options.refusal(status, message);
  return {.status = status, .body = std::string(message) + '\n'};
}

void HttpServer::Loop::run() {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception&) {
      // Out of memory in one connection, which then waits to be replaced. The process continues.
    }
  }
}

void HttpServer::Loop::accept() {
  acceptor.async_accept([this](Failure failure, Socket socket) {
    if (!acceptor.is_open()) return;
    if (failure) {
      timer.expires_after(kAcceptPause);
      timer.async_wait([this](Failure cancelled) {
        if (!cancelled && acceptor.is_open()) accept();
      });
      return;
    }
    accept();
    admit(std::move(socket));
  });
}

void HttpServer::Loop::admit(Socket socket) {
  Failure ignored;
  if (connections.size() >= most && !make_place()) {
    // Fits its empty buffer.
    socket.send(asio::buffer(closing_reply(refusal(503, "too many connections"))), 0, ignored);
    return;
  }
  socket.non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);  // Each piece of a stream is sent at once.
  const auto connection = std::make_shared<Connection>(*this, std::move(socket));
  connections.insert(connection);
  connection->start();
}

// Closes the connection that has kept us waiting longest. Returns whether there is one.
bool HttpServer::Loop::make_place() {
  const auto longest = *std::min_element(connections.begin(), connections.end(), [](const auto& a, const auto& b) {
    return a->waiting_since() < b->waiting_since();
  });
  if (longest->waiting_since() == Clock::time_point::max()) return false;
  longest->close();
  return true;
}

void HttpServer::Loop::drain(std::chrono::milliseconds grace) {
  is_draining = true;
  Failure ignored;
  acceptor.close(ignored);
  if (grace.count() <= 0) return close_all();
  for (const auto& connection : std::set(connections)) {
    if (!connection->has_request()) connection->close();
  }
  if (connections.empty()) return io.stop();
  timer.expires_after(grace);
  timer.async_wait([this](Failure cancelled) {
    if (!cancelled) close_all();
  });
}

void HttpServer::Loop::close_all() {
  for (const auto& connection : std::set(connections)) connection->close();
  io.stop();
}

void HttpServer::Loop::remove(const std::shared_ptr<Connection>& connection) {
  connections.erase(connection);
  if (is_draining && connections.empty()) io.stop();
}

HttpServer::HttpServer(const HttpOptions& options, HttpHandler handler)
    : loop_(std::make_unique<Loop>(options, std::move(handler))) {
  loop_->accept();
  try {
    loop_->thread = std::thread([loop = loop_.get()] { loop->run(); });
  } catch (const std::system_error& error) {
    throw Error("HTTP server: no thread can be started: {}", error.what());
  }
}

HttpServer::~HttpServer() { stop(); }

int HttpServer::port() const { return loop_->port; }
size_t HttpServer::connections() const { return loop_->connections.size(); }

void HttpServer::post(std::function<void()> task) { asio::post(loop_->io, std::move(task)); }

void HttpServer::stop(std::chrono::milliseconds grace) {
  if (!loop_->thread.joinable()) return;
  asio::post(loop_->io, [this, grace] { loop_->drain(grace); });
  loop_->thread.join();
}

}  // namespace tinyllm
