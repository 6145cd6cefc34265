// Any bytes as what a model said: its answer is a part of it, and equals itself.
#include <tinyllm/runtime/reason/answer.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const ExtractedAnswer found = extract_answer(bytes);
  require(found.text.empty() ||
          (found.text.data() >= bytes.data() && found.text.data() + found.text.size() <= bytes.data() + bytes.size()));
  const NormalAnswer answer = answer_of(bytes);
  require(answer.kind == AnswerKind::none || same_answer(answer, answer));
  const NormalAnswer whole = normal_answer(bytes);
  require(whole.kind == AnswerKind::none || same_answer(whole, whole));
}
