#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string_view>

namespace tinyllm {

/// The questions that a model was trained on, so that it is not evaluated on them: their hashes, numbers included.
/// Blanks do not count. Kept in a file of the model's folder; all numbers are little-endian:
///
///   magic "TLSEENQ1", number of hashes u64, the hashes u64 in ascending order
class SeenQuestions {
 public:
  static constexpr const char* kFile = "seen_questions.bin";

  /// Those of a model; none if its folder has no such file. Throws Error when the file is damaged.
  static SeenQuestions of_model(const std::filesystem::path& folder);
  /// The same from the bytes of a file.
  static SeenQuestions parse(std::string_view bytes, std::string_view what);

  void add(std::string_view question);
  void add(const SeenQuestions& others) { hashes_.insert(others.hashes_.begin(), others.hashes_.end()); }
  bool has(std::string_view question) const;
  int64_t size() const { return static_cast<int64_t>(hashes_.size()); }

  /// Writes the file into a model's folder, or removes it if there are none.
  void save(const std::filesystem::path& folder) const;

 private:
  std::set<uint64_t> hashes_;
};

}  // namespace tinyllm
