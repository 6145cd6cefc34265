#pragma once

#include <tinyllm/runtime/constraint/answer_form.h>

#include <memory>

namespace tinyllm {

struct JsonGrammar;

/// Compiles a form and its JSON schemas, which may come from a stranger. Served are: type, properties, required,
/// additionalProperties, items, prefixItems, enum, const, anyOf, oneOf of alternatives that exclude each other, $ref
/// into the same schema, also recursive, minItems, maxItems, minLength, maxLength, minimum, maximum, exclusiveMinimum,
/// exclusiveMaximum, nullable, and allOf of one schema. Annotations, as title and format, have no effect.
///
/// Every answer that keeps to the result validates; not every valid value can be written: properties come in the order
/// of the schema, and undeclared ones only where none is declared; numbers have at most 16 + 16 digits, those with a
/// bound at most 9 + 6, integers 15; lists and objects nest at most 32 deep.
///
/// Throws Error "what: /path: ..." on any other keyword of a strict schema, on what is not a schema, when nothing
/// satisfies it, and when more than 8 alternatives begin alike.
std::shared_ptr<const JsonGrammar> compile_form(const AnswerForm& form);

}  // namespace tinyllm
