#include <tinyllm/runtime/http/http_parser.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>

namespace tinyllm {
namespace {

namespace http = boost::beast::http;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

[[noreturn]] void refuse(const boost::system::error_code& error, const HttpLimits& limits) {
  if (error == http::error::body_limit) throw HttpError(413, "request body: more than {} bytes", limits.body_bytes);
  if (error == http::error::bad_version) throw HttpError(505, "expected HTTP/1.1");
  throw HttpError(400, "malformed request: {}", error.message());
}

}  // namespace

struct RequestParser::Beast {
  http::request_parser<http::string_body> parser;
};

RequestParser::RequestParser(const HttpLimits& limits, bool is_loopback)
    : limits_(&limits), is_loopback_(is_loopback), beast_(std::make_unique<Beast>()) {
  beast_->parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes + 1));
  beast_->parser.body_limit(limits.body_bytes);
}

RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

bool RequestParser::is_http_1_0() const { return beast_->parser.get().version() == 10; }
bool RequestParser::expects_continue() const { return lower(request_.header("expect")) == "100-continue"; }
bool RequestParser::keeps_alive() const { return beast_->parser.get().keep_alive(); }

HttpRequest RequestParser::take() {
  request_.body = std::move(beast_->parser.get().body());
  return std::move(request_);
}

size_t RequestParser::add(std::string_view bytes) {
  size_t used = 0;
  if (state_ == State::empty || state_ == State::header) used = add_header(bytes);
  if (state_ == State::body) used += add_body(bytes.substr(used));
  return used;
}

size_t RequestParser::add_header(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    state_ = State::header;
    const bool is_empty_line = bytes[i] == '\n' && raw_.size() == line_start_ + 1;
    add_header_byte(bytes[i]);
    if (!is_empty_line) continue;
    parse_raw();
    if (!beast_->parser.is_header_done()) throw HttpError(400, "malformed request: no request line");
    check_header();
    state_ = beast_->parser.is_done() ? State::done : State::body;
    return i + 1;
  }
  return bytes.size();
}

// Beast accepts more than we do: folded lines, and any number of lines.
void RequestParser::add_header_byte(char byte) {
  const bool follows_cr = raw_.ends_with('\r');
  const auto code = static_cast<unsigned char>(byte);
  if ((byte == '\n') != follows_cr) throw HttpError(400, "request header: lines must end with CR LF");
  if ((code < ' ' && byte != '\t' && byte != '\r' && byte != '\n') || byte == '\x7F') {
    throw HttpError(400, "request header: control character");
  }
  if (raw_.size() == line_start_ && lines_ > 0 && (byte == ' ' || byte == '\t')) {
    throw HttpError(400, "request header: a line begins with a blank");
  }
  if (lines_ == 0 && raw_.size() == limits_->request_line_bytes) {
    throw HttpError(414, "request line: more than {} bytes", limits_->request_line_bytes);
  }
  if (raw_.size() == limits_->header_bytes) {
    throw HttpError(431, "request header: more than {} bytes", limits_->header_bytes);
  }
  raw_ += byte;
  if (byte != '\n') return;
  line_start_ = raw_.size();
  // Neither the request line nor the empty line at the end is a header field.
  if (++lines_ > limits_->header_lines + 2) {
    throw HttpError(431, "request header: more than {} lines", limits_->header_lines);
  }
}

// Once the header is parsed: what a request must be beyond the grammar.
void RequestParser::check_header() {
  const auto& message = beast_->parser.get();
  if (message.version() != 10 && message.version() != 11) throw HttpError(505, "expected HTTP/1.1");
  request_.method = std::string(message.method_string());
  for (const auto& field : message.base()) {
    request_.headers.emplace_back(lower({field.name_string().data(), field.name_string().size()}), field.value());
  }
  const auto hosts = message.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() == 11)) {
    throw HttpError(400, "request header: {} Host fields, expected 1", hosts);
  }
  if (is_loopback_ && !names_loopback(request_.header("host"))) {
    throw HttpError(403, "Host: expected a name of this machine, such as localhost");
  }
  // Beast takes a body in an unknown encoding for no body at all.
  for (const auto& [name, value] : request_.headers) {
    if (name == "transfer-encoding" && lower(value) != "chunked") {
      throw HttpError(501, "Transfer-Encoding: only \"chunked\" is supported");
    }
  }
  if (!request_.header("expect").empty() && !expects_continue()) {
    throw HttpError(417, "Expect: only \"100-continue\" is supported");
  }
  set_target(request_, {message.target().data(), message.target().size()});
}

size_t RequestParser::add_body(std::string_view bytes) {
  raw_ += bytes;
  parse_raw();
  if (beast_->parser.is_done()) {
    state_ = State::done;
    return bytes.size() - raw_.size();
  }
  // What chunks add is bounded too: sizes, extensions and trailers.
  body_raw_bytes_ += bytes.size();
  if (body_raw_bytes_ > 8 * limits_->body_bytes + limits_->header_bytes) {
    throw HttpError(413, "request body: its chunks take more than 8 times {} bytes", limits_->body_bytes);
  }
  return bytes.size();
}

// Parses as much of raw_ as is complete, and removes it.
void RequestParser::parse_raw() {
  auto& parser = beast_->parser;
  size_t used = 0;
  const bool is_header = !parser.is_header_done();
  // The last chunk has at least 5 bytes, "0 CR LF CR LF". Boost 1.74 asserts that it is never called with fewer.
  const size_t least = !is_header && parser.chunked() ? 5 : 1;
  while (!parser.is_done() && raw_.size() - used >= least) {
    boost::system::error_code error;
    used += parser.put(boost::asio::buffer(raw_.data() + used, raw_.size() - used), error);
    if (error == http::error::need_more) break;
    if (error) refuse(error, *limits_);
    if (is_header && parser.is_header_done()) break;
  }
  raw_.erase(0, used);
}

HttpRequest parse_http(std::string_view bytes, const HttpLimits& limits, bool is_loopback) {
  RequestParser parser(limits, is_loopback);
  parser.add(bytes);
  if (parser.state() != RequestParser::State::done) throw HttpError(400, "the request ends early");
  return parser.take();
}

}  // namespace tinyllm
