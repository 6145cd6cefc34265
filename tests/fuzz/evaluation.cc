// The results of an evaluation, as they are summed up and compared; and the file of questions that a model has seen.
#include <tinyllm/train/data/seen_questions.h>
#include <tinyllm/train/eval/report.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  may_refuse([&] { require(SeenQuestions::parse(bytes, "bytes").size() >= 0); });
  may_refuse([&] {
    const eval::Run run = eval::parse_run(bytes, "bytes");
    const eval::Summary summary = eval::summarise(run);
    require(!eval::as_json(summary).empty());
    eval::as_table(summary);
    require(eval::report_page(summary).size() < 200'000);
    eval::as_table(eval::compare(run, run), "a", "b");
    eval::as_table(eval::compare_scores(run), "a", "b");
  });
}
