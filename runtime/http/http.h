#pragma once

#include <tinyllm/runtime/http/http_request.h>

#include <functional>
#include <memory>

namespace tinyllm {

class HttpServer;

/// The reply to one request, sent whole or streamed. It may be moved to another thread and used there, by one thread at
/// a time. It may outlive the client and the server: then nothing is sent. Destroying a reply that was never begun
/// sends status 500; destroying one that was begun but not finished closes the connection, so that the client sees that
/// the end is missing.
class HttpReply {
 public:
  struct Exchange;
  explicit HttpReply(std::shared_ptr<Exchange> exchange);
  ~HttpReply();
  HttpReply(HttpReply&&) noexcept;
  HttpReply& operator=(HttpReply&&) noexcept;

  /// Sends a whole reply. `type` is the Content-Type. Throws Error when a reply was begun before, or when a header
  /// contains a line end.
  void send(int status, std::string_view type, std::string_view body, const HttpFields& headers = {});

  /// Begins a reply whose length is not known yet. Throws like send().
  void start(int status, std::string_view type, const HttpFields& headers = {});
  /// Queues the next bytes of a streamed reply; never waits. Returns false once the client is gone. A client that
  /// stays more than HttpLimits::unsent_bytes behind is disconnected. Throws Error unless between start() and
  /// finish().
  bool write(std::string_view bytes);
  /// Ends a streamed reply. Throws like write().
  void finish();

  /// Waits until the client's socket has taken everything written so far. Returns false if the client is gone. Throws
  /// Error on the server's own thread, which does the sending.
  bool wait_until_sent();
  /// Whether the client has disconnected, or the server has stopped. A client that closes its sending side counts as
  /// gone unless the handler has finished the reply before it returns.
  bool is_gone() const;
  /// Sets a callback for when the client disconnects before the reply is finished. It is called once: on the server's
  /// thread, or at once if the client is gone already. It must not block.
  void on_gone(std::function<void()> callback);

 private:
  friend class HttpServer;
  enum class State { fresh, streaming, finished };

  void begin(int status, std::string_view type, const HttpFields& headers, std::optional<size_t> length,
             std::string_view body);
  void queue(std::string bytes, bool is_last);
  void abandon();

  std::shared_ptr<Exchange> exchange_;
  State state_ = State::fresh;
};

/// Answers one request. Called on the server's thread, so it must not block: long work takes the reply to another
/// thread. If it throws before it begins a reply, the client gets status 500 with the message.
using HttpHandler = std::function<void(HttpRequest&& request, HttpReply&& reply)>;

/// A whole reply after which the connection is closed.
struct HttpRefusal {
  int status;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  HttpFields headers = {};
};

struct HttpOptions {
  std::string address = "127.0.0.1";  ///< An IP address of this machine.
  int port = 0;                       ///< 0: a free one.
  HttpLimits limits = {};
  bool checks_host = true;  ///< On a loopback address, answer only requests whose Host is a name of this machine [403].
  /// Called once the header of a request is complete, before its body is read: a refusal ends the matter. The request
  /// has no body yet.
  std::function<std::optional<HttpRefusal>(const HttpRequest& request)> check = {};
  /// The reply to a request that breaks a limit or the protocol. If not set, it is the message.
  std::function<HttpRefusal(int status, std::string_view message)> refusal = {};
};

/// An HTTP/1.1 server with one thread that sleeps while there is nothing to do. When as many connections are open as
/// HttpLimits::connections allows, a new one replaces the one that has kept the server waiting longest; if none does,
/// it is refused with status 503. So the server never uses more files than that. All functions of the options are
/// called on the server's thread.
class HttpServer {
 public:
  /// Throws Error when the address or port cannot be used.
  HttpServer(const HttpOptions& options, HttpHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  /// Open now. For the server's thread.
  size_t connections() const;

  /// Calls `task` on the server's thread, after tasks that were posted before. After stop() it is never called.
  void post(std::function<void()> task);

  /// Accepts no more requests, waits up to `grace` for the replies that are not finished, then closes all connections.
  /// No client can delay it further. Not to be called by the handler.
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(0));

 private:
  struct Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace tinyllm
