#pragma once

#include <tinyllm/model/text/jinja/evaluator.h>
#include <tinyllm/model/text/jinja_template.h>

namespace tinyllm::jinja {

/// Converts JSON to a value. All its text has the origin `source`. Throws Error on JSON that nests too deep, an integer
/// beyond 64 bits, or text that is not UTF-8.
Value from_json(const nlohmann::ordered_json& json, int32_t source, Budget& budget);

/// The variables that a template sees. They refer to the input, which must outlive them.
Names globals_of(const JinjaInput& input, Budget& budget);

}  // namespace tinyllm::jinja
