#pragma once

#include <tinyllm/runtime/http/http.h>
#include <tinyllm/tensor/base/clock.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace tinyllm {

inline constexpr const char* kPlainText = "text/plain; charset=utf-8";

/// The status line and the headers of a reply; `framing` is the line that says where its body ends. Throws Error when a
/// header contains a line end.
std::string http_head(int status, std::string_view type, const HttpFields& headers, std::string_view framing,
                      bool keeps_alive);

/// What a reply, on any thread, shares with its connection on the server's thread.
struct HttpReply::Exchange {
  const std::thread::id server_thread;
  const bool is_head;      ///< No body is sent.
  const bool is_http_1_0;  ///< The end of a streamed reply is that of the connection.
  bool keeps_alive;        ///< Changed before anything is queued only.

  std::mutex mutex = {};  ///< Guards the rest.
  std::condition_variable changed = {};
  /// Tell the server's thread that bytes are queued, or that it should close. Empty once the client is gone or the
  /// reply was sent, so that nothing is posted to a server that has been destroyed.
  std::function<void()> post = {};
  std::function<void()> post_close = {};
  bool is_posted = false;
  std::string queued = {};  ///< All since the server's thread last took them: the news of a pass goes in one piece.
  std::function<void()> on_gone = {};
  bool is_finished = false;
  bool is_gone = false;
  bool is_cut_off = false;  ///< It is too slow: the server's thread has yet to close it.
  size_t most_unsent = 0;
  size_t unsent = 0;                            ///< With `queued`.
  size_t backlog = 0;                           ///< Without: what the server's thread has had time to send.
  size_t first_backlog = 0;                     ///< When it came to be more than `most_unsent`.
  Clock::time_point progressed = Clock::now();  ///< When the client last took something, or had nothing to take.

  // With the mutex held.
  bool is_too_slow() const;
};

}  // namespace tinyllm
