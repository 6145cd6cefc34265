// One client of an HttpServer, and the loop that all share. Only http.cc includes this: Boost takes long to compile.
#pragma once

#include <tinyllm/runtime/http/http_exchange.h>
#include <tinyllm/runtime/http/http_parser.h>
#include <tinyllm/tensor/base/clock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

namespace tinyllm {

namespace asio = boost::asio;
using Failure = boost::system::error_code;
using Socket = asio::ip::tcp::socket;

// How long and how much of what a client still sends is read after the last reply, so that it can read that reply.
constexpr std::chrono::seconds kLinger{1};
constexpr size_t kLingerBytes = 1 << 20;

inline std::string closing_reply(const HttpRefusal& refusal) {
  const std::string framing = fmt::format("Content-Length: {}\r\n", refusal.body.size());
  return http_head(refusal.status, refusal.type, refusal.headers, framing, false) + refusal.body;
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
  size_t body_bytes = 0;  // Of all connections.
  std::thread thread;
};

// One client. All members are used on the server's thread only.
class HttpServer::Loop::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Loop& loop, Socket socket)
      : loop_(loop), stream_(std::move(socket)), parser_(loop.limits, loop.is_loopback) {}

  // Waits for a request.
  void start() {
    forget_body();
    since_ = Clock::now();
    parser_ = RequestParser(loop_.limits, loop_.is_loopback);
    stream_.expires_after(loop_.limits.idle_timeout);
    take(std::exchange(early_, {}));
  }

  // Takes what was queued of the reply.
  void take_queued() {
    if (!exchange_) return;
    std::string bytes;
    bool is_last = false;
    {
      const std::lock_guard lock(exchange_->mutex);
      exchange_->is_posted = false;
      bytes = std::exchange(exchange_->queued, {});
      is_last = exchange_->is_finished;
      const bool was_behind = exchange_->backlog > exchange_->most_unsent;
      exchange_->backlog += bytes.size();
      if (!was_behind) exchange_->first_backlog = exchange_->backlog;
      if (!is_writing_) exchange_->progressed = Clock::now();
    }
    queue(std::move(bytes), is_last);
  }

  void queue(std::string bytes, bool is_last) {
    if (is_closed_) return;
    is_complete_ = is_complete_ || is_last;
    outgoing_.empty() ? outgoing_ = std::move(bytes) : outgoing_ += bytes;
    if (!is_writing_) write();
  }

  void close() {
    if (std::exchange(is_closed_, true)) return;
    const auto self = shared_from_this();
    stream_.close();
    forget_body();
    loop_.remove(self);
    if (const auto exchange = std::exchange(exchange_, nullptr)) leave(*exchange, true);
  }

  bool has_request() const { return exchange_ != nullptr; }
  // Since when the client has kept the server waiting; no time when it is the client who waits.
  Clock::time_point waiting_since() const { return exchange_ && !is_writing_ ? Clock::time_point::max() : since_; }

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
      const size_t used = parser_.add(bytes);
      early_ = bytes.substr(used);
      if (parser_.state() >= RequestParser::State::body) count_body(used);
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

  void count_body(size_t bytes) {
    body_bytes_ += bytes;
    loop_.body_bytes += bytes;
    if (loop_.body_bytes > loop_.limits.all_body_bytes) throw HttpError(503, "too many bytes of requests at once");
  }
  void forget_body() { loop_.body_bytes -= std::exchange(body_bytes_, 0); }

  void refuse(const HttpRefusal& refusal) {
    parser_ = RequestParser(loop_.limits, loop_.is_loopback);
    forget_body();
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
    exchange->post = [self = shared_from_this()] {
      asio::post(self->stream_.get_executor(), [self] { self->take_queued(); });
    };
    exchange->post_close = [self = shared_from_this()] {
      asio::post(self->stream_.get_executor(), [self] { self->close(); });
    };
    return exchange;
  }

  // Parts from a reply that was sent, or whose client is gone.
  static void leave(HttpReply::Exchange& exchange, bool is_gone) {
    std::function<void()> on_gone, post, post_close;
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
      if (!failure && self->exchange_ == exchange) self->read_ahead();
    };
    stream_.socket().async_wait(Socket::wait_read, on_readable);
  }

  // Bytes that come early are the next request. Too many of them stay with the system: then only a failing write shows
  // that the client is gone.
  void read_ahead() {
    const size_t room = input_.size() - std::min(early_.size(), input_.size());
    if (room == 0) return;
    const ssize_t size = recv(stream_.socket().native_handle(), input_.data(), room, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return close();
    if (size > 0) early_.append(input_.data(), static_cast<size_t>(size));
    watch();
  }

  // Sends what is there, all that a pass has brought at once.
  void write() {
    if (written_ == writing_.size()) {
      writing_ = std::exchange(outgoing_, {});
      written_ = 0;
    }
    is_writing_ = true;
    since_ = Clock::now();
    stream_.expires_after(loop_.limits.write_timeout);
    const auto on_written = [self = shared_from_this()](Failure failure, size_t size) {
      if (failure || self->is_closed_) return self->close();
      self->written(size);
    };
    stream_.async_write_some(asio::buffer(writing_.data() + written_, writing_.size() - written_), on_written);
  }

  void written(size_t size) {
    written_ += size;
    if (exchange_) {
      const std::lock_guard lock(exchange_->mutex);
      exchange_->unsent -= size;
      exchange_->backlog -= size;
      exchange_->progressed = Clock::now();
      exchange_->changed.notify_all();
    }
    if (written_ < writing_.size() || !outgoing_.empty()) return write();
    is_writing_ = false;
    writing_ = {};
    written_ = 0;
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
  std::string early_;      // Bytes of the next request.
  size_t body_bytes_ = 0;  // Of this request.
  std::string outgoing_;   // Not given to the system yet,
  std::string writing_;    // being given to it,
  size_t written_ = 0;     // and what of that it has taken.
  bool is_writing_ = false;
  std::shared_ptr<HttpReply::Exchange> exchange_;  // While a request is answered.
  Clock::time_point since_;
  size_t requests_ = 0;
  bool keeps_alive_ = false;
  bool is_complete_ = false;  // The reply is in outgoing_ to its end.
  bool is_closed_ = false;
};

}  // namespace tinyllm
