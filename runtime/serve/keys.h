#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// What a key may use; 0: without limit.
struct KeyLimits {
  int64_t requests_per_minute = 0;
  int64_t tokens_per_minute = 0;
  int64_t tokens_per_day = 0;  ///< Of prompts and answers, from midnight in UTC.
};

using Sha256 = std::array<uint8_t, 32>;

struct Key {
  std::string id;  ///< What logs and the quota name it by; not secret.
  Sha256 hash{};   ///< Of the key itself, which is kept nowhere.
  KeyLimits limits;
  /// The number that stands for it; never 0.
  uint64_t owner() const;
};

/// The keys of a file: JSON lines with "id", "sha256" in hexadecimal, and limits.
class Keys {
 public:
  /// Throws Error that names the file and the line.
  explicit Keys(const std::filesystem::path& path);

  /// Null when the text is not a key. Takes the same time for every text: all keys are compared, each to its end.
  std::shared_ptr<const Key> find(std::string_view secret) const;
  size_t size() const { return keys_.size(); }

 private:
  std::vector<std::shared_ptr<const Key>> keys_;
};

/// Makes a key of 256 random bits, and appends its hash to the file. A file that is missing is made, readable by its
/// owner alone: by the user of the server. Any number of processes may do so at once. Returns the key, which cannot be
/// found out afterwards. Throws Error.
std::string new_key(const std::filesystem::path& path, const KeyLimits& limits);

}  // namespace tinyllm
