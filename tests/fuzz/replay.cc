// Runs a target over the files of a folder, without a fuzzer: what was found once stays fixed.
#include "fuzz.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: {} FOLDER\n", argv[0]);
    return 2;
  }
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    fmt::print("{}\n", entry.path().filename().string());
    std::fflush(stdout);  // The last name is the input that ended the program.
    tinyllm::test::fuzz(bytes);
    ++inputs;
  }
  fmt::print("{} passed, 0 failed\n", inputs);
  return inputs > 0 ? 0 : 1;
}
