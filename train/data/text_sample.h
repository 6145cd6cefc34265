#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tinyllm {

/// Stretches of whole lines from all over a corpus.
struct TextSample {
  std::vector<std::string> learn;
  std::vector<std::string> held_out;  // Every twentieth stretch.
};

/// Draws about `bytes` of a corpus (or all of it when it has no more): it is cut into blocks of up to 64 KB, as many
/// equal regions as blocks are wanted, and one block of each region is drawn by `seed`. Lines between documents are
/// left out. The file is mapped, and only what is drawn is read. Throws Error on a file that is empty, or where a
/// stretch is not UTF-8.
TextSample sample_text(const std::filesystem::path& corpus, int64_t bytes, uint64_t seed);

}  // namespace tinyllm
