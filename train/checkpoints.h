#pragma once

#include <tinyllm/tensor/formats/safetensors.h>

#include <functional>
#include <optional>

namespace tinyllm {

/// The checkpoints of a run in a folder, `checkpoint-<number>.safetensors`. Numbers grow, and the last few are kept. A
/// file is written whole or not at all. It carries a checksum, so that a damaged file is never used.
class Checkpoints {
 public:
  /// Does not read or write anything yet. `keep` is the number of whole checkpoints to keep.
  explicit Checkpoints(std::filesystem::path folder, int64_t keep = 2) : folder_(std::move(folder)), keep_(keep) {}

  struct Found {
    int64_t number;
    std::unique_ptr<Safetensors> file;
  };
  /// The newest whole checkpoint; nullopt if there is none. Calls `on_damaged` with the reason for each newer one that
  /// is damaged.
  std::optional<Found> newest(const std::function<void(const std::string&)>& on_damaged = {}) const;
  bool is_empty() const { return numbers().empty(); }

  /// Calls `write` with the path of checkpoint `number`, then removes those older than the last `keep` whole ones.
  /// Damaged checkpoints do not count. If `write` throws, all old checkpoints stay.
  void add(int64_t number, const std::function<void(const std::filesystem::path&)>& write);
  void remove_all();
  /// Removes the partial files of processes that were killed while writing a checkpoint.
  void remove_parts();

 private:
  std::vector<int64_t> numbers() const;  // Newest first.
  std::filesystem::path path(int64_t number) const;
  bool is_whole(int64_t number) const;

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace tinyllm
