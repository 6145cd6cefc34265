// A line of JSON as a question of an evaluation, of any format.
#include <tinyllm/train/eval/question_set.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  may_refuse([&] {
    const eval::Question question = eval::read_question(bytes);
    if (question.options.empty()) {
      require(!question.text.empty() && !question.answer.empty());
    } else {
      require(question.right < question.options.size());
      require(!eval::lettered_options(question).empty());
    }
  });
}
