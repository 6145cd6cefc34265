#pragma once

#include <tinyllm/model/formats/safetensors.h>

#include <functional>
#include <optional>

namespace tinyllm {

/// The checkpoints of a run in a folder, `checkpoint-<number>.safetensors`: numbers grow, the last few are kept. A file
/// is written whole or not at all, and carries a checksum, so that one which a disk has damaged is never used.
class Checkpoints {
 public:
  /// Nothing is read or written yet. `keep` is how many stay.
  explicit Checkpoints(std::filesystem::path folder, int64_t keep = 2) : folder_(std::move(folder)), keep_(keep) {}

  /// The newest that is whole; null when there is none. `on_damaged` is told of every newer one that is not, and why.
  std::unique_ptr<Safetensors> newest(const std::function<void(const std::string&)>& on_damaged = {}) const;
  bool is_empty() const { return numbers().empty(); }

  /// Calls `write` with the path of checkpoint `number`, then removes those beyond the last `keep`. What `write` throws
  /// passes, and all old checkpoints stay.
  void add(int64_t number, const std::function<void(const std::filesystem::path&)>& write);
  void remove_all();

 private:
  std::vector<int64_t> numbers() const;  // Newest first.
  std::filesystem::path path(int64_t number) const;

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace tinyllm
