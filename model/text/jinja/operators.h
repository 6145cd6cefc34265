#pragma once

#include <tinyllm/model/text/jinja/ast.h>

namespace tinyllm::jinja {

/// Python's operators. Throws Error for types that an operator does not take, and for integers beyond 64 bits.
Value apply(Arithmetic::Op op, const Value& a, const Value& b, Budget& budget);
bool apply(Comparison::Op op, const Value& a, const Value& b, Budget& budget);
/// The sign of a number.
Value signed_number(Unary::Op op, const Value& value);

}  // namespace tinyllm::jinja
