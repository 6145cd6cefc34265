#include <tinyllm/runtime/http/http_request.h>

#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tinyllm {
namespace {

// Decodes %41 and, in a query, '+'.
std::string decoded(std::string_view text, bool is_query) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += is_query && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) {
      throw HttpError(400, "request target: '%' without two hexadecimal digits");
    }
    result += static_cast<char>(byte);
    i += 2;
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; };
  if (std::any_of(result.begin(), result.end(), is_control)) {
    throw HttpError(400, "request target: control character");
  }
  if (valid_utf8(result) != result.size()) throw HttpError(400, "request target: not UTF-8");
  return result;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& field) { return field.first == name; });
  return found == headers.end() ? std::string_view() : found->second;
}

std::optional<std::string> HttpRequest::parameter(std::string_view name) const {
  const auto found = std::find_if(query.begin(), query.end(), [&](const auto& field) { return field.first == name; });
  return found == query.end() ? std::nullopt : std::optional(found->second);
}

void set_target(HttpRequest& request, std::string_view target) {
  if (!target.starts_with('/')) throw HttpError(400, "request target: expected a path that begins with '/'");
  const size_t mark = std::min(target.find('?'), target.size());
  request.path = decoded(target.substr(0, mark), false);
  std::string_view rest = target.substr(std::min(mark + 1, target.size()));
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty()) {
      request.query.emplace_back(decoded(pair.substr(0, equals), true),
                                 decoded(pair.substr(std::min(equals + 1, pair.size())), true));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

bool names_loopback(std::string_view host) {
  constexpr std::array<std::string_view, 3> kNames = {"localhost", "127.0.0.1", "[::1]"};
  const size_t colon = host.rfind(':');
  const bool has_port = colon != std::string_view::npos && !host.ends_with(']');
  const std::string_view name = host.substr(0, has_port ? colon : host.size());
  const auto is_same = [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); };
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view known) {
    return std::equal(name.begin(), name.end(), known.begin(), known.end(), is_same);
  });
}

}  // namespace tinyllm
