#pragma once

#include <tinyllm/model/text/jinja/evaluator.h>
#include <tinyllm/model/text/jinja_template.h>

namespace tinyllm::jinja {

/// A value of JSON, with `source` as the origin of all of its text. Throws Error when it nests too deep, has an integer
/// beyond 64 bits, or text that is not UTF-8.
Value from_json(const nlohmann::ordered_json& json, int32_t source, Budget& budget);

/// The names that a template sees. They refer to the input.
Names globals_of(const JinjaInput& input, Budget& budget);

}  // namespace tinyllm::jinja
