// What the tests of constraints share.
#pragma once

#include <tinyllm/runtime/constraint/json_matcher.h>
#include <tinyllm/runtime/constraint/json_schema.h>

#include <string_view>

namespace tinyllm::test {

inline AnswerForm form_of(std::string schema) { return {.choices = {{.schema = std::move(schema)}}}; }

inline std::shared_ptr<const JsonGrammar> grammar_of(std::string schema) {
  return compile_form(form_of(std::move(schema)));
}

/// How much of a text keeps to a grammar, in bytes; all of it and 1 more where it may end after it.
inline size_t kept(const JsonGrammar& grammar, std::string_view text) {
  const JsonMatcher matcher(grammar);
  JsonState state = matcher.begin(), next;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!matcher.read(state, static_cast<unsigned char>(text[i]), next)) return i;
    std::swap(state, next);
  }
  return text.size() + (matcher.is_complete(state) ? 1 : 0);
}

inline bool accepts(const JsonGrammar& grammar, std::string_view text) {
  return kept(grammar, text) == text.size() + 1;
}

}  // namespace tinyllm::test
