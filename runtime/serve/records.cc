#include <tinyllm/runtime/serve/records.h>

#include <tinyllm/runtime/serve/json_text.h>

#include <fmt/chrono.h>

#include <chrono>

namespace tinyllm {
namespace {

// In UTC with milliseconds, as 2026-11-30T12:00:00.000Z.
std::string now() {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     milliseconds);
}

std::unique_ptr<Journal> opened(const std::filesystem::path& path) {
  return path.empty() ? nullptr : std::make_unique<Journal>(path);
}

constexpr size_t kMostPath = 200;  // Of a path that a client made up.

}  // namespace

Records::Records(const std::filesystem::path& access_log, const std::filesystem::path& audit_log, bool audits_contents,
                 ServerMetrics& metrics)
    : access_(opened(access_log)), audit_(opened(audit_log)), audits_contents_(audits_contents), metrics_(metrics) {}

void Records::write(Journal* journal, const std::string& line) {
  if (journal == nullptr) return;
  try {
    journal->append(line);
  } catch (const Error&) {
    ++metrics_.log_lines_dropped;
  }
}

void Records::refused(const HttpRequest& request, const ApiError& error, const std::string& id) {
  metrics_.requests.add(fmt::format("handler=\"\",method=\"{}\",status=\"{}\"",
                                    request.method == "GET" || request.method == "POST" ? request.method : "other",
                                    error.status()));
  metrics_.refused.add(fmt::format("code=\"{}\"", error.code()));
  const OrderedJson line = {{"time", now()},
                            {"id", id},
                            {"method", request.method},
                            {"path", request.path.substr(0, kMostPath)},
                            {"status", error.status()},
                            {"refused", error.code()}};
  write(access_.get(), text_of(line));
  write(audit_.get(), text_of(line));
}

void Records::done(const Call& call, int status, uint64_t bytes) {
  const HttpRequest& request = call.request;
  const bool is_usual =
      request.method == "GET" || request.method == "POST" || request.method == "HEAD" || request.method == "OPTIONS";
  metrics_.requests.add(fmt::format("handler=\"{}\",method=\"{}\",status=\"{}\"", call.handler,
                                    is_usual ? request.method : "other", status));
  if (!call.refused_code.empty()) metrics_.refused.add(fmt::format("code=\"{}\"", call.refused_code));
  if (!access_ && !audit_) return;
  OrderedJson line = {{"time", now()},
                      {"id", call.id},
                      {"key", call.key ? OrderedJson(call.key->id) : OrderedJson()},
                      {"method", request.method},
                      {"path", request.path.substr(0, kMostPath)},
                      {"status", status},
                      {"bytes", bytes},
                      {"seconds", seconds_since(call.arrived)}};
  write(access_.get(), text_of(line));
  if (!audit_ || (call.answered.empty() && call.refused_code.empty())) return;
  if (!call.refused_code.empty()) line["refused"] = call.refused_code;
  for (const std::string& answer : call.answered) line["answers"].push_back(OrderedJson::parse(answer));
  if (audits_contents_) line["request"] = request.body;
  write(audit_.get(), text_of(line));
}

}  // namespace tinyllm
