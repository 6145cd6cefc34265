#pragma once

#include <tinyllm/model/formats/safetensors.h>

#include <functional>
#include <optional>

namespace tinyllm {

/// The checkpoints of a run in a folder, `checkpoint-<number>.safetensors`. Numbers grow, and the last few are kept. A
/// file is written whole or not at all, and carries a checksum, so that one which a disk has damaged is never used.
class Checkpoints {
 public:
  /// Reads and writes nothing yet. `keep` is how many whole ones stay.
  explicit Checkpoints(std::filesystem::path folder, int64_t keep = 2) : folder_(std::move(folder)), keep_(keep) {}

  struct Found {
    int64_t number;
    std::unique_ptr<Safetensors> file;
  };
  /// The newest that is whole; nullopt if there is none. `on_damaged` is told of every newer one that is not, and why.
  std::optional<Found> newest(const std::function<void(const std::string&)>& on_damaged = {}) const;
  bool is_empty() const { return numbers().empty(); }

  /// Calls `write` with the path of checkpoint `number`, then removes those older than the last `keep` whole ones: one
  /// that is damaged does not count. If `write` throws, all old checkpoints stay.
  void add(int64_t number, const std::function<void(const std::filesystem::path&)>& write);
  void remove_all();
  /// Removes what a killed process has left of a checkpoint that it was writing.
  void remove_parts();

 private:
  std::vector<int64_t> numbers() const;  // Newest first.
  std::filesystem::path path(int64_t number) const;
  bool is_whole(int64_t number) const;

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace tinyllm
