#pragma once

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include "test_data.h"

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace tinyllm::test {

/// A file of tests/data/tokenizers: vocabularies learnt from texts of our own, and the tokens that the Rust library
/// `tokenizers` 0.22.2 and SentencePiece 0.1.97 give with them.
inline std::filesystem::path tokenizer_data(const std::string& name) { return test_data("tokenizers") / name; }

/// The values of a file with one JSON value on each line.
inline std::vector<Json> json_lines(const std::filesystem::path& path) {
  std::vector<Json> values;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) values.push_back(parse_json(line, path.string()));
  return values;
}

}  // namespace tinyllm::test
