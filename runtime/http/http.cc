#include <tinyllm/runtime/http/http.h>

#include <tinyllm/runtime/http/http_exchange.h>
#include <tinyllm/runtime/http/http_parser.h>
#include <tinyllm/tensor/base/clock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/status.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <set>
#include <system_error>

namespace tinyllm {
namespace {

namespace asio = boost::asio;
using Failure = boost::system::error_code;
using Socket = asio::ip::tcp::socket;

// How long and how much of what a client still sends is read after the last reply, so that it can read that reply.
constexpr std::chrono::seconds kLinger{1};
constexpr size_t kLingerBytes = 1 << 20;
// Before another attempt to accept, after one that failed: usually because no file descriptor is free.
constexpr std::chrono::milliseconds kAcceptPause{100};

std::string closing_reply(const HttpRefusal& refusal) {
  const std::string framing = fmt::format("Content-Length: {}\r\n", refusal.body.size());
  return http_head(refusal.status, refusal.type, refusal.headers, framing, false) + refusal.body;
}

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

struct HttpServer::Loop {
  class Connection;

  Loop(const HttpOptions& given, HttpHandler handle);
  void run();
  void accept();
  void admit(Socket socket);
  bool make_place();
  void drain(std::chrono::milliseconds grace);
  void close_all();
  void remove(const std::shared_ptr<Connection>& connection);

  HttpRefusal refusal(int status, std::string_view message) const;

  const HttpOptions options;
  const HttpLimits& limits = options.limits;
  const size_t most;
  const HttpHandler handler;
  bool is_loopback = true;  // Only names of this machine are accepted as Host.
  int port = 0;
  bool is_draining = false;
  asio::io_context io{1};
  asio::ip::tcp::acceptor acceptor{io};
  asio::steady_timer timer{io};  // Of the pause in accepting, then of the grace in draining.
  std::set<std::shared_ptr<Connection>> connections;
  std::thread thread;
};

// One client. All members are used on the server's thread only.
class HttpServer::Loop::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Loop& loop, Socket socket)
      : loop_(loop), stream_(std::move(socket)), parser_(loop.limits, loop.is_loopback) {}

  // Waits for a request.
  void start() {
    since_ = Clock::now();
    parser_ = RequestParser(loop_.limits, loop_.is_loopback);
    stream_.expires_after(loop_.limits.idle_timeout);
    take(std::exchange(early_, {}));
  }

  // Appends to the reply.
  void queue(std::string bytes, bool is_last) {
    if (is_closed_) return;
    is_complete_ = is_complete_ || is_last;
    outgoing_.push_back(std::move(bytes));
    if (outgoing_.size() == 1) write();
  }

  void close() {
    if (std::exchange(is_closed_, true)) return;
    const auto self = shared_from_this();
    stream_.close();
    loop_.remove(self);
    if (const auto exchange = std::exchange(exchange_, nullptr)) leave(*exchange, true);
  }

  bool has_request() const { return exchange_ != nullptr; }
  // Since when the client has kept the server waiting; no time when it is the client who waits.
  Clock::time_point waiting_since() const { return exchange_ && outgoing_.empty() ? Clock::time_point::max() : since_; }

 private:
  void read() {
    stream_.async_read_some(asio::buffer(input_), [self = shared_from_this()](Failure failure, size_t size) {
      if (failure) return self->close();
      self->take({self->input_.data(), size});
    });
  }

  void take(std::string_view bytes) {
    if (is_closed_) return;
    const RequestParser::State before = parser_.state();
    try {
      early_ = bytes.substr(parser_.add(bytes));
    } catch (const HttpError& error) {
      return refuse(loop_.refusal(error.status(), error.what()));
    }
    if (before < RequestParser::State::body && parser_.state() >= RequestParser::State::body && loop_.options.check) {
      if (const auto refusal = loop_.options.check(parser_.request())) return refuse(*refusal);
    }
    if (parser_.state() == RequestParser::State::done) return answer();
    if (parser_.state() != before) {
      const bool is_body = parser_.state() == RequestParser::State::body;
      stream_.expires_after(is_body ? loop_.limits.body_timeout : loop_.limits.header_timeout);
      if (is_body && parser_.expects_continue()) {
        Failure ignored;  // 25 bytes always fit into the buffer of a socket that has nothing else to send.
        stream_.socket().send(asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25), 0, ignored);
      }
    }
    read();
  }

  void refuse(const HttpRefusal& refusal) {
    keeps_alive_ = false;
    queue(closing_reply(refusal), true);
  }

  void answer() {
    keeps_alive_ = parser_.keeps_alive() && ++requests_ < loop_.limits.requests && !loop_.is_draining;
    HttpRequest request = parser_.take();
    exchange_ = new_exchange(request.method == "HEAD");
    HttpReply reply(exchange_);
    try {
      loop_.handler(std::move(request), std::move(reply));
    } catch (const std::exception& error) {
      if (reply.exchange_ && reply.state_ == HttpReply::State::fresh) {
        reply.send(500, kPlainText, fmt::format("{}\n", error.what()));
      }
    } catch (...) {  // The reply is destroyed unused, which sends status 500.
    }
    watch();
  }

  std::shared_ptr<HttpReply::Exchange> new_exchange(bool is_head) {
    std::shared_ptr<HttpReply::Exchange> exchange(
        new HttpReply::Exchange{std::this_thread::get_id(), is_head, parser_.is_http_1_0(), keeps_alive_});
    exchange->most_unsent = loop_.limits.unsent_bytes;
    exchange->post = [self = shared_from_this()](std::string bytes, bool is_last) {
      asio::post(self->stream_.get_executor(),
                 [self, bytes = std::move(bytes), is_last]() mutable { self->queue(std::move(bytes), is_last); });
    };
    exchange->post_close = [self = shared_from_this()] {
      asio::post(self->stream_.get_executor(), [self] { self->close(); });
    };
    return exchange;
  }

  // Parts from a reply that was sent, or whose client is gone.
  static void leave(HttpReply::Exchange& exchange, bool is_gone) {
    std::function<void()> on_gone, post_close;
    std::function<void(std::string, bool)> post;
    {
      const std::lock_guard lock(exchange.mutex);
      post.swap(exchange.post);
      post_close.swap(exchange.post_close);
      on_gone.swap(exchange.on_gone);
      exchange.is_gone = is_gone;
    }
    exchange.changed.notify_all();
    if (is_gone && on_gone) on_gone();
  }

  // Notices a client that disconnects while it waits for a reply.
  void watch() {
    const auto exchange = exchange_;
    {
      const std::lock_guard lock(exchange->mutex);
      if (exchange->is_finished) return;
    }
    const auto on_readable = [self = shared_from_this(), exchange](Failure failure) {
      if (failure || self->exchange_ != exchange) return;
      char byte = 0;
      const ssize_t size = recv(self->stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
      // More bytes are the next request: then only a failing write shows that the client is gone.
      if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) self->close();
    };
    stream_.socket().async_wait(Socket::wait_read, on_readable);
  }

  void write() {
    since_ = Clock::now();
    stream_.expires_after(loop_.limits.write_timeout);
    const auto on_written = [self = shared_from_this()](Failure failure, size_t size) {
      if (failure || self->is_closed_) return self->close();
      self->outgoing_.pop_front();
      self->written(size);
    };
    asio::async_write(stream_, asio::buffer(outgoing_.front()), on_written);
  }

  void written(size_t size) {
    if (exchange_) {
      const std::lock_guard lock(exchange_->mutex);
      exchange_->unsent -= size;
      exchange_->changed.notify_all();
    }
    if (!outgoing_.empty()) return write();
    if (!is_complete_) return;
    is_complete_ = false;
    if (const auto exchange = std::exchange(exchange_, nullptr)) {
      keeps_alive_ = exchange->keeps_alive;
      leave(*exchange, false);
    }
    if (keeps_alive_ && !loop_.is_draining) return start();
    Failure ignored;
    stream_.socket().shutdown(Socket::shutdown_send, ignored);
    stream_.expires_after(kLinger);
    linger(0);
  }

  // Closing while the client still sends would reset the connection, and the reply could be lost.
  void linger(size_t bytes) {
    stream_.async_read_some(asio::buffer(input_), [self = shared_from_this(), bytes](Failure failure, size_t size) {
      if (failure || bytes + size > kLingerBytes) return self->close();
      self->linger(bytes + size);
    });
  }

  Loop& loop_;
  boost::beast::tcp_stream stream_;
  RequestParser parser_;
  std::array<char, 8192> input_;
  std::string early_;  // Bytes of the next request.
  std::deque<std::string> outgoing_;
  std::shared_ptr<HttpReply::Exchange> exchange_;  // While a request is answered.
  Clock::time_point since_;
  size_t requests_ = 0;
  bool keeps_alive_ = false;
  bool is_complete_ = false;  // The reply is in outgoing_ to its end.
  bool is_closed_ = false;
};

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
