// Whether a value satisfies a schema, written from the specification and without the code under test. Source: JSON
// Schema, draft 2020-12, "Validation"; nullable is OpenAPI 3.0's.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace tinyllm::test {

/// Empty when it does; else what is wrong, for people. Keywords that the tests do not use restrict nothing.
std::string why_invalid(const nlohmann::json& schema, const nlohmann::json& value);

}  // namespace tinyllm::test
