#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tinyllm {

/// Chunks from all over some texts. No chunk is in both lists.
struct TextSample {
  std::vector<std::string> learn;
  std::vector<std::string> validation;  ///< One of 20 chunks, at least one if there are two.
};

/// Draws about `bytes` of UTF-8 files, or all of them if they have fewer. The files are cut into chunks of 128 bytes to
/// 64 KB, about 4000 of them in the sample; each file is divided into as many equal regions as it gives chunks, and one
/// chunk of each region is drawn by `seed`. A chunk begins with a line, or within a line that is longer than a chunk.
/// Lines between documents are left out. The result does not depend on the order of the files, which are mapped: only
/// what is drawn is read. Throws Error on a file that is empty, or when a chunk is not UTF-8.
TextSample sample_texts(std::span<const std::filesystem::path> files, int64_t bytes, uint64_t seed);

}  // namespace tinyllm
