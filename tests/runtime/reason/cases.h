// Cases in lines of JSON.
#pragma once

#include "test_data.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>
#include <vector>

namespace tinyllm::test {

inline std::vector<nlohmann::json> cases(const std::string& name) {
  std::ifstream file(test_data("reason/" + name));
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(nlohmann::json::parse(line));
  REQUIRE(!rows.empty());
  return rows;
}

}  // namespace tinyllm::test
