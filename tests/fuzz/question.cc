// Any bytes as a question, as a text that is compared with it, and as a file of questions.
#include <tinyllm/runtime/search/evaluate.h>
#include <tinyllm/runtime/search/question.h>
#include <tinyllm/runtime/search/sentences.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  using namespace search;
  const size_t half = bytes.size() / 2;
  const std::string_view asked = bytes.substr(0, half), text = bytes.substr(half);
  std::vector<Term> terms;
  for (const Gram gram : question_grams(asked, 64)) {
    terms.emplace_back();
    terms.back().gram = gram;
    terms.back().idf = 1;
  }
  const Question question(asked, terms);
  const Match match = question.match(text);
  require(match.run >= 0 && match.run <= 1 && match.precision >= 0 && match.precision <= 1);
  const float coverage = question.coverage(match.terms);
  require(coverage >= 0 && coverage <= 1.001f && question.coverage(0) == 0);
  require(question.rarest_missing(match.terms) >= 0 && question.share_of(text) <= 1);
  if (valid_utf8(text) == text.size()) {
    size_t end = 0;
    for (const Span& span : sentences_of(text)) {
      require(span.begin >= end && span.begin < span.end && span.end <= text.size());
      end = span.end;
    }
  }
  may_refuse([&] { parse_ranking(bytes, "ranking"); });
  const MemoryFile file(bytes);
  may_refuse([&] { read_questions(file.path()); });
}
