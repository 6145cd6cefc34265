#include <tinyllm/runtime/serve/limits.h>

#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <cmath>
#include <ctime>

namespace tinyllm {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 30;
constexpr int kRetrySeconds = 60;  // While the quota cannot be written.

int whole_seconds(double seconds) { return static_cast<int>(std::clamp(std::ceil(seconds), 1.0, 86400.0)); }

int seconds_to_midnight() { return static_cast<int>(86400 - std::time(nullptr) % 86400); }

// The tokens of a day, by key. Lines of other days are left out.
std::map<std::string, int64_t> read_day(const std::filesystem::path& path, const std::string& day) {
  std::map<std::string, int64_t> used;
  if (!is_there(path)) return used;
  const std::string all = read_file(path, kMostBytes);
  size_t number = 0;
  // A last line without its end was torn by a crash: its request had not begun.
  for (size_t at = 0, end = 0; (end = all.find('\n', at)) != std::string::npos; at = end + 1) {
    const Json line =
        parse_json(std::string_view(all).substr(at, end - at), fmt::format("{}: line {}", path.string(), ++number));
    int64_t tokens = 0;
    read_field(line, "tokens", tokens);
    if (text(line, "day") == day) used[text(line, "key")] += tokens;
  }
  return used;
}

std::string line_of(const std::string& day, const std::string& id, int64_t tokens) {
  return Json{{"day", day}, {"key", id}, {"tokens", tokens}}.dump();
}

}  // namespace

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

double TokenBucket::level(Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - at_).count();
  level_ = std::min(per_minute_, level_ + std::max(0.0, seconds) * per_minute_ / 60);
  at_ = now;
  return level_;
}

void TokenBucket::set_per_minute(int64_t per_minute, Clock::time_point now) {
  const auto wanted = static_cast<double>(per_minute);
  if (wanted == per_minute_) return;
  level_ = std::min(level(now) + std::max(0.0, wanted - per_minute_), wanted);
  per_minute_ = wanted;
  at_ = now;
}

Limits::Limits(const std::filesystem::path& quota_file) : day_(today()) {
  if (quota_file.empty()) return;
  lock_ = std::make_unique<FileLock>(quota_file);
  used_ = read_day(quota_file, day_);
  // One line for each key is enough of what was.
  std::string lines;
  for (const auto& [id, tokens] : used_) lines += line_of(day_, id, tokens) + '\n';
  write_file(quota_file, lines, Access::owner);
  journal_ = std::make_unique<Journal>(quota_file);
}

Limits::Use& Limits::use_of(const Key& key) {
  Use& use = uses_.try_emplace(key.id, key.limits).first->second;
  use.requests.set_per_minute(key.limits.requests_per_minute);
  use.tokens.set_per_minute(key.limits.tokens_per_minute);
  return use;
}

void Limits::take_request(const Key& key) {
  const std::lock_guard lock(mutex_);
  TokenBucket& bucket = use_of(key).requests;
  if (key.limits.requests_per_minute == 0) return;
  if (bucket.level() < 1) {
    throw ApiError(429, "rate_limit_exceeded", "", "this key may send {} requests a minute",
                   key.limits.requests_per_minute)
        .with_retry_after(whole_seconds(bucket.seconds_until(1)));
  }
  bucket.take(1);
}

HttpFields Limits::headers(const Key& key) {
  const std::lock_guard lock(mutex_);
  HttpFields fields;
  const auto add = [&](const char* what, int64_t limit, TokenBucket& bucket) {
    if (limit == 0) return;
    const double left = std::max(0.0, std::floor(bucket.level()));
    fields.emplace_back(fmt::format("X-RateLimit-Limit-{}", what), fmt::format("{}", limit));
    fields.emplace_back(fmt::format("X-RateLimit-Remaining-{}", what), fmt::format("{}", left));
    fields.emplace_back(fmt::format("X-RateLimit-Reset-{}", what),
                        fmt::format("{:.0f}s", std::ceil(bucket.seconds_until(bucket.per_minute()))));
  };
  add("Requests", key.limits.requests_per_minute, use_of(key).requests);
  add("Tokens", key.limits.tokens_per_minute, use_of(key).tokens);
  return fields;
}

Limits::Reservation Limits::reserve(const Key& key, int64_t tokens) {
  const std::lock_guard lock(mutex_);
  Use& use = use_of(key);
  if (key.limits.tokens_per_minute > 0 && use.tokens.level() <= 0) {
    throw ApiError(429, "rate_limit_exceeded", "", "this key may use {} tokens a minute", key.limits.tokens_per_minute)
        .with_retry_after(whole_seconds(use.tokens.seconds_until(1)));
  }
  if (key.limits.tokens_per_day > 0) {
    if (std::exchange(day_, today()) != day_) used_.clear();
    const int64_t used = used_[key.id];
    if (used + tokens > key.limits.tokens_per_day) {
      throw ApiError(429, "insufficient_quota", "",
                     "this key may use {} tokens a day: {} are used, and this request needs up to {}",
                     key.limits.tokens_per_day, used, tokens)
          .with_retry_after(seconds_to_midnight());
    }
    try {
      count(key.id, tokens);
    } catch (const Error&) {  // Its reason names a file, which is nobody's business.
      throw ApiError(503, "quota_unavailable", "", "the tokens of this key cannot be counted now; try again later")
          .with_retry_after(kRetrySeconds);
    }
  }
  if (key.limits.tokens_per_minute > 0) use.tokens.take(static_cast<double>(tokens));
  return {day_, tokens};
}

void Limits::settle(const Key& key, const Reservation& reservation, int64_t used) {
  const std::lock_guard lock(mutex_);
  const int64_t more = used - reservation.tokens;
  // Not `use_of`: the key may have other limits by now.
  const auto use = uses_.find(key.id);
  if (key.limits.tokens_per_minute > 0 && use != uses_.end()) use->second.tokens.take(static_cast<double>(more));
  if (key.limits.tokens_per_day == 0 || more == 0 || reservation.day != day_) return;
  try {
    count(key.id, more);
  } catch (const Error&) {  // It stays counted as reserved: too much, never too little.
  }
}

void Limits::count(const std::string& id, int64_t tokens) {
  if (journal_) journal_->append(line_of(day_, id, tokens));
  used_[id] += tokens;
}

}  // namespace tinyllm
