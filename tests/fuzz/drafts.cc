// Any text as sentences that questions are made of.
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/questions/draft.h>
#include <tinyllm/train/questions/filters.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const std::string text = replace_invalid_utf8(bytes.substr(0, 1 << 16));
  for (const search::Span& span : search::sentences_of(text)) {
    const std::string_view sentence = std::string_view(text).substr(span.begin, span.size());
    for (const questions::Draft& draft : questions::drafts_of(sentence)) {
      require(draft.answer.begin < draft.answer.end && draft.answer.end <= sentence.size());
      const std::string_view answer = sentence.substr(draft.answer.begin, draft.answer.size());
      require(valid_utf8(answer) == answer.size());
      require(valid_utf8(draft.question) == draft.question.size());
      questions::problem_with(draft.question, answer);
    }
  }
}
