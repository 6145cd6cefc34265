#include <tinyllm/runtime/http/http_exchange.h>

namespace tinyllm {

// One pass may bring more than a client is allowed to leave unread, so what counts is what it does afterwards.
bool HttpReply::Exchange::is_too_slow() const {
  constexpr std::chrono::seconds kStill{1};
  const bool is_behind = backlog > most_unsent;
  return is_behind && (Clock::now() - progressed > kStill || backlog > first_backlog + 4 * most_unsent);
}

HttpReply::HttpReply(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
HttpReply::HttpReply(HttpReply&&) noexcept = default;

HttpReply& HttpReply::operator=(HttpReply&& other) noexcept {
  abandon();
  exchange_ = std::move(other.exchange_);
  state_ = other.state_;
  return *this;
}

HttpReply::~HttpReply() { abandon(); }

void HttpReply::abandon() {
  if (!exchange_ || state_ == State::finished) return;
  if (state_ == State::fresh) return send(500, kPlainText, "the request was not answered\n");
  const std::lock_guard lock(exchange_->mutex);
  if (exchange_->post_close) exchange_->post_close();
}

void HttpReply::begin(int status, std::string_view type, const HttpFields& headers, std::optional<size_t> length,
                      std::string_view body) {
  if (!exchange_ || state_ != State::fresh) throw Error("HTTP reply: begun before");
  if (!length && exchange_->is_http_1_0) exchange_->keeps_alive = false;
  const bool is_chunked = !length && !exchange_->is_http_1_0;
  const std::string framing = length       ? fmt::format("Content-Length: {}\r\n", *length)
                              : is_chunked ? "Transfer-Encoding: chunked\r\n"
                                           : "";
  std::string head = http_head(status, type, headers, framing, exchange_->keeps_alive);
  state_ = length ? State::finished : State::streaming;
  if (!exchange_->is_head) head += body;
  queue(std::move(head), length.has_value());
}

void HttpReply::send(int status, std::string_view type, std::string_view body, const HttpFields& headers) {
  begin(status, type, headers, body.size(), body);
}

void HttpReply::start(int status, std::string_view type, const HttpFields& headers) {
  begin(status, type, headers, std::nullopt, "");
}

bool HttpReply::write(std::string_view bytes) {
  if (!exchange_ || state_ != State::streaming) throw Error("HTTP reply: written to before start() or after finish()");
  if (bytes.empty() || exchange_->is_head) return !is_gone();  // An empty chunk would be the end.
  queue(exchange_->is_http_1_0 ? std::string(bytes) : fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes), false);
  return !is_gone();
}

void HttpReply::finish() {
  if (!exchange_ || state_ != State::streaming) throw Error("HTTP reply: finished before start(), or twice");
  state_ = State::finished;
  queue(exchange_->is_http_1_0 || exchange_->is_head ? "" : "0\r\n\r\n", true);
}

void HttpReply::queue(std::string bytes, bool is_last) {
  const std::lock_guard lock(exchange_->mutex);
  exchange_->is_finished = is_last;
  exchange_->unsent += bytes.size();
  if (!exchange_->post) return;
  if (state_ == State::streaming && !exchange_->is_cut_off && exchange_->is_too_slow()) {
    exchange_->is_cut_off = true;
    exchange_->post_close();
  }
  if (exchange_->is_cut_off) return;
  exchange_->queued += bytes;
  if (!std::exchange(exchange_->is_posted, true)) exchange_->post();
}

bool HttpReply::wait_until_sent() {
  if (std::this_thread::get_id() == exchange_->server_thread) {
    throw Error("HTTP reply: the server's thread cannot wait for what it has to send");
  }
  std::unique_lock lock(exchange_->mutex);
  exchange_->changed.wait(lock, [&] { return exchange_->unsent == 0 || exchange_->is_gone; });
  return !exchange_->is_gone;
}

bool HttpReply::is_gone() const {
  const std::lock_guard lock(exchange_->mutex);
  return exchange_->is_gone || exchange_->is_cut_off;
}

void HttpReply::on_gone(std::function<void()> callback) {
  {
    const std::lock_guard lock(exchange_->mutex);
    if (!exchange_->is_gone) {
      exchange_->on_gone = std::move(callback);
      return;
    }
  }
  callback();
}

}  // namespace tinyllm
