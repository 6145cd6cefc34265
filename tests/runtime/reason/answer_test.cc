#include "runtime/reason/cases.h"

#include <doctest/doctest.h>

#include <tinyllm/runtime/reason/answer.h>
#include <tinyllm/runtime/reason/calculator.h>

#include <string>

namespace tinyllm::test {
namespace {
void check_all(const std::string& name) {
  for (const auto& row : cases(name)) {
    const auto text = row["text"].get<std::string>();
    const auto gold = row["gold"].get<std::string>();
    CAPTURE(text);
    CAPTURE(gold);
    const NormalAnswer answer = answer_of(text);
    CHECK(same_answer(answer, answer_of(gold)) == row["equal"].get<bool>());
    if (!row.contains("value")) continue;
    const std::optional<Rational> value = answer.value();
    CHECK(value.has_value() == row["value"].is_string());
    if (value && row["value"].is_string())
      CHECK(*value == std::get<Rational>(calculate(row["value"].get<std::string>())));
  }
}

AnswerMarker marker_of(std::string_view text) { return extract_answer(text).marker; }
}  // namespace

TEST_CASE("answers are found, read and compared as the cases say") { check_all("answers.jsonl"); }

TEST_CASE("answers in other notations are the same answers") { check_all("answers_in_other_notations.jsonl"); }

TEST_CASE("an answer comes with the marker that it was found by") {
  CHECK(marker_of("") == AnswerMarker::none);
  CHECK(marker_of("【最终答案】\n") == AnswerMarker::none);
  CHECK(marker_of("<think>5") == AnswerMarker::none);
  CHECK(marker_of("【最终答案】\n5") == AnswerMarker::section);
  CHECK(marker_of("so \\boxed{5}") == AnswerMarker::box);
  CHECK(marker_of("<answer>5</answer>") == AnswerMarker::tag);
  CHECK(marker_of("3+4=7\n#### 7") == AnswerMarker::hashes);
  CHECK(marker_of("#### 解答\n答案：7") == AnswerMarker::phrase);
  CHECK(marker_of("答案：7") == AnswerMarker::phrase);
  CHECK(marker_of("7个") == AnswerMarker::whole);
  CHECK(marker_of("3+4=7。7*2=14。") == AnswerMarker::fallback);
}

TEST_CASE("the text of an answer is a part of what was said") {
  CHECK(extract_answer("【最终答案】\n\n  74  \n").text == "74");
  CHECK(extract_answer("\\boxed{\\frac{3}{5}}").text == "\\frac{3}{5}");
  CHECK(extract_answer("I think the answer: 5 is wrong. Answer: 10").text == "10");
  CHECK(extract_answer("答：小明还剩7个苹果。").text == "小明还剩7个苹果");
}

TEST_CASE("equality holds both ways, except for names") {
  const auto rows = cases("answers.jsonl");
  for (const auto& row : rows) {
    const NormalAnswer a = answer_of(row["text"].get<std::string>());
    const NormalAnswer b = answer_of(row["gold"].get<std::string>());
    CAPTURE(row.dump());
    if (a.names.empty() && b.names.empty()) CHECK(same_answer(a, b) == same_answer(b, a));
    if (a.kind != AnswerKind::none) CHECK(same_answer(a, a));
  }
}

TEST_CASE("any text is read, also a long one") {
  for (const std::string part :
       {"(",  "{", "\\boxed{", "\\frac",  "答案：", "####", "<think>", "</think>", "1/",        "1,", "一", "万",
        "。", "=", "\xFF",     "\\text{", "1:",     "、",   "余",      "<|",       "Question:", "- ", "^{"}) {
    std::string text;
    while (text.size() < 100000) text += part;
    answer_of(text);
    normal_answer(text.substr(0, 1000));
  }
  CHECK(answer_of("答案：" + std::string(2000, '7')).kind == AnswerKind::word);
}

// Time that grows with the square of the length would be hours.
TEST_CASE("finding an answer takes time that is linear in the text") {
  for (const std::string part :
       {"#### abcd ", "####", "#### ", "####\n", "\n \n", "答案 ", "answer ", "\\boxed{", "。\n"}) {
    std::string text;
    while (text.size() < (size_t{4} << 20)) text += part;
    CAPTURE(part);
    CHECK(extract_answer(text).text.size() <= text.size());
    CHECK(extract_answer("#### 12\n" + text + "\n#### 7 \n ").text == "7");
  }
}

TEST_CASE("a heading of Markdown is no answer") {
  CHECK(extract_answer("#### 12\n#### Steps of it\n").text == "12");
  CHECK(extract_answer("#### 12 #### Steps").text == "12 #### Steps");
  CHECK(marker_of("#### abc\n") == AnswerMarker::hashes);
  CHECK(marker_of("#### abcd\n") != AnswerMarker::hashes);
}

}  // namespace tinyllm::test
