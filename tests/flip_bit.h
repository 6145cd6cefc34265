#pragma once

#include <tinyllm/tensor/base/file.h>

#include <filesystem>
#include <string>

namespace tinyllm::test {

/// Flips a bit near the end of a file, as a bad disk might. In a safetensors file it is in the data.
inline void flip_bit(const std::filesystem::path& path) {
  std::string bytes = read_file(path);
  bytes[bytes.size() - 10] ^= 1;
  write_file(path, bytes);
}

}  // namespace tinyllm::test
