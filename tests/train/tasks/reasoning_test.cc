#include <doctest/doctest.h>

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/train/tasks/reasoning.h>

#include "runtime/model_to_ask.h"

namespace tinyllm::test {

TEST_CASE("problems are asked together, answered in order, and no more of them after `on_progress` returns false") {
  const Model model = model_to_ask(400);
  const std::vector<Problem> problems = make_problems(1, 8, Split::validation);
  Session session(model, {.sequences = 3});
  std::vector<int64_t> counts;
  const std::vector<Answered> all = answer(session, problems, [&](const Progress& p) {
    counts.push_back(p.done);
    return true;
  });
  CHECK(counts == std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  REQUIRE(all.size() == 8);
  for (size_t i = 0; i < 8; ++i) {
    CHECK(all[i].problem.question == problems[i].question);
    const Messages messages = {{Role::system, problems[i].system}, {Role::user, problems[i].question}};
    const Request alone{chat_prompt(*model.tokenizer, *model.chat_template, messages, 399), {.max_tokens = 160}};
    CHECK(all[i].said.final == parse_reasoning(generate(session, {&alone, 1})[0].text).final);
  }
  const size_t some = answer(session, problems, [](const Progress& p) { return p.done < 3; }).size();
  CHECK(some >= 3);
  CHECK(some < 8);
}

}  // namespace tinyllm::test
