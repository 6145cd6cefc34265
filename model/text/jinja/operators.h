#pragma once

#include <tinyllm/model/text/jinja/ast.h>

namespace tinyllm::jinja {

/// Python's operators. Throws Error on types that the operator does not support, and on integers beyond 64 bits.
Value apply(Arithmetic::Op op, const Value& a, const Value& b, Budget& budget);
bool apply(Comparison::Op op, const Value& a, const Value& b, Budget& budget);
/// Unary plus or minus.
Value signed_number(Unary::Op op, const Value& value);

}  // namespace tinyllm::jinja
