#pragma once

#include <tinyllm/runtime/http/http_request.h>
#include <tinyllm/runtime/serve/journal.h>
#include <tinyllm/runtime/serve/keys.h>
#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/file_lock.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace tinyllm {

/// An allowance that fills up evenly: at most `per_minute`, and so much each minute.
class TokenBucket {
 public:
  explicit TokenBucket(int64_t per_minute, Clock::time_point now = Clock::now())
      : per_minute_(static_cast<double>(per_minute)), level_(per_minute_), at_(now) {}

  /// What is left now; below 0 after more was taken than there was.
  double level(Clock::time_point now = Clock::now());
  void take(double amount) { level_ -= amount; }
  /// Changes the allowance. What was taken of it stays taken, and no more is left than the new one.
  void set_per_minute(int64_t per_minute, Clock::time_point now = Clock::now());
  /// Seconds until there is at least `amount`.
  double seconds_until(double amount) const { return std::max(0.0, (amount - level_) * 60 / per_minute_); }
  double per_minute() const { return per_minute_; }

 private:
  double per_minute_;
  double level_;
  Clock::time_point at_;
};

/// What each key has used. The tokens of a day are counted in a file: reserved before a request begins and corrected
/// when it has ended, so that a crash can only count too much. For any number of threads.
class Limits {
 public:
  /// `quota_file`: empty: quotas do not survive a restart. Throws Error that names the file, also while another process
  /// counts in it.
  explicit Limits(const std::filesystem::path& quota_file);

  /// Takes one request from a key's minute; throws ApiError (429) when none is left.
  void take_request(const Key& key);
  /// The headers that tell a key what is left.
  HttpFields headers(const Key& key);
  struct Reservation {
    std::string day;
    int64_t tokens = 0;
  };
  /// Reserves tokens before a job begins. Throws ApiError: 429 when the minute or the day has too few, 503 when the
  /// reservation cannot be written.
  Reservation reserve(const Key& key, int64_t tokens);
  /// Corrects a reservation to what was used.
  void settle(const Key& key, const Reservation& reservation, int64_t used);

 private:
  struct Use {
    explicit Use(const KeyLimits& limits) : requests(limits.requests_per_minute), tokens(limits.tokens_per_minute) {}
    TokenBucket requests, tokens;
  };
  Use& use_of(const Key& key);  // With the key's present limits.
  void count(const std::string& id, int64_t tokens);

  std::mutex mutex_;
  std::map<std::string, Use> uses_;
  std::string day_;                      // What `used_` is of.
  std::map<std::string, int64_t> used_;  // Tokens of the day, by key.
  std::unique_ptr<FileLock> lock_;       // Of the file, before it is read and as long as it is written.
  std::unique_ptr<Journal> journal_;
};

/// The day in UTC, as 2026-11-30.
std::string today();

}  // namespace tinyllm
