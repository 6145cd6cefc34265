#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/eval/question_set.h>

#include "error_of.h"
#include "temp_folder.h"
#include "test_data.h"

namespace tinyllm::eval::test {

using tinyllm::test::error_of;
using tinyllm::test::TempFolder;

namespace {

QuestionSet set_of(const std::string& lines, int64_t shots = 0) {
  const TempFolder folder;
  write_file(folder / "some.jsonl", lines);
  return read_questions(folder / "some.jsonl", shots);
}

std::string refusal(const std::string& line) {
  return error_of([&] { read_question(line); });
}

}  // namespace

TEST_CASE("every format of multiple choice") {
  const std::vector<std::string> fruit = {"apple", "pear", "plum", "fig"};
  for (const char* line : {
           R"({"question":"Which?","A":"apple","B":"pear","C":"plum","D":"fig","answer":"C","subject":"food"})",
           R"({"Question":"Which?","A":"apple","B":"pear","C":"plum","D":"fig","Answer":"C","category":"food"})",
           R"({"question":"Which?","choices":["apple","pear","plum","fig"],"answer":2,"subject":"food"})",
           R"({"question":"Which?","choices":["apple","pear","plum","fig"],"answer":"C","subject":"food"})",
           R"({"question":{"stem":"Which?","choices":[{"text":"apple","label":"1"},{"text":"pear","label":"2"},)"
           R"({"text":"plum","label":"3"},{"text":"fig","label":"4"}]},"answerKey":"3","kind":"food"})",
           R"({"question":"Which?","choices":{"text":["apple","pear","plum","fig"],"label":["A","B","C","D"]},)"
           R"("answerKey":"C","kind":"food"})",
       }) {
    CAPTURE(line);
    const Question question = read_question(line);
    CHECK(question.text == "Which?");
    CHECK(question.options == fruit);
    CHECK(question.right == 2);
    CHECK(question.kind == "food");
    CHECK_FALSE(question.is_continued);
  }
  CHECK(lettered_options(read_question(R"({"question":"?","A":"x","B":"y","answer":"B"})")) == "A. x\nB. y");
}

TEST_CASE("the text of HellaSwag is put together and cleaned") {
  const Question question = read_question(
      R"({"activity_label":"Making tea","ctx_a":"[header] How to make tea [title] Boil water.","ctx_b":"then He",)"
      R"("endings":["[step] pours it.","sings  loudly.","sits."],"label":"2"})");
  CHECK(question.text == "Making tea: How to make tea. Boil water. Then he");
  CHECK(question.options == std::vector<std::string>{" pours it.", "sings loudly.", "sits."});
  CHECK(question.right == 2);
  CHECK(question.is_continued);
  CHECK(question.kind == "Making tea");
}

TEST_CASE("every format of problems") {
  const Question gsm8k = read_question(R"({"question":"How many?","answer":"3+4=<<3+4=7>>7\n#### 7"})");
  CHECK(gsm8k.answer == " 7");
  CHECK(gsm8k.solution == "3+4=<<3+4=7>>7\n#### 7");
  const Question cmath = read_question(R"({"user":"几个？","answer":"9","grade":1})");
  CHECK(cmath.text == "几个？");
  CHECK(cmath.answer == "9");
  CHECK(cmath.kind == "grade 1");
  const Question own =
      read_question(R"({"system":"s","user":"q","cot":"c","final":"答案：3个。","answer":"3个","kind":"work"})");
  CHECK(own.system == "s");
  CHECK(own.solution == "【推理过程】\nc\n【最终答案】\n答案：3个。\n");
  CHECK(own.kind == "work");
  CHECK(read_question(R"({"user":"q","answer":12})").answer == "12");
}

TEST_CASE("any number of options from 2 to 26") {
  std::string five = R"({"question":"?","A":"1","B":"2","C":"3","D":"4","E":"5","answer":"E"})";
  CHECK(read_question(five).options.size() == 5);
  CHECK(read_question(five).right == 4);
  CHECK(refusal(R"({"question":"?","choices":["x"],"answer":0})") == "has 1 options, expected 2 to 26");
  std::string many = R"({"question":"?","answer":0,"choices":["x")";
  for (int i = 0; i < 26; ++i) many += R"(,"x")";
  CHECK(refusal(many + "]}") == "has 27 options, expected 2 to 26");
}

TEST_CASE("what is wrong with a question is said") {
  CHECK(refusal("{\"user\":").starts_with("JSON: line 1"));
  CHECK(refusal("[1]").starts_with("JSON: "));
  CHECK(refusal(R"({"text":"x"})").starts_with("unknown form of question; expected the fields"));
  CHECK(refusal(R"({"user":"q"})") == "field answer: missing; a set without answers cannot be scored");
  CHECK(refusal(R"({"question":"q","A":"x","B":"y"})") ==
        "field answer: missing; a set without answers cannot be scored");
  CHECK(refusal(R"({"question":"q","A":"x","B":"y","answer":""})") ==
        "field answer: is \"\", expected one of A, B, or an index from 0");
  CHECK(refusal(R"({"question":"q","A":"x","B":"y","answer":"C"})") ==
        "field answer: is \"C\", expected one of A, B, or an index from 0");
  CHECK(refusal(R"({"question":"q","choices":["x","y"],"answer":2})").starts_with("field answer: is 2, expected"));
  CHECK(refusal(R"({"question":"q","A":"x","B":" ","answer":"A"})") == "field B: is empty, expected text");
  CHECK(refusal(R"({"question":"q","choices":["x",1],"answer":0})") ==
        "field choices: item 2: is a number, expected text");
  CHECK(refusal(R"({"user":"q","answer":"3+4=7\n####"})").starts_with("field answer: is "));
  CHECK(refusal(R"({"ctx":"q","endings":["x","y"],"label":"2"})").starts_with("field label: is \"2\""));
  CHECK(refusal(R"({"question":{"stem":"q","choices":["x"]},"answerKey":"A"})") ==
        "field choices: has a string, expected objects");
}

TEST_CASE("a set names the file and the line of what it cannot read, and has one task") {
  CHECK(error_of([] {
          set_of("{\"user\":\"q\",\"answer\":\"1\"}\n\n{}\n");
        }).find("some.jsonl: line 3: unknown form") != std::string::npos);
  CHECK(error_of([] {
          set_of(R"({"user":"q","answer":"1"})"
                 "\n"
                 R"({"question":"q","A":"x","B":"y","answer":"A"})");
        }).find("line 2: is a question with options, expected one with an answer as before") != std::string::npos);
  CHECK(error_of([] { set_of("\n \n"); }).find("holds no question") != std::string::npos);
  CHECK(error_of([] {
          set_of("{\"user\":\"" + std::string(1 << 20, 'x') + "\",\"answer\":\"1\"}");
        }).find("line 1: has 1048") != std::string::npos);
  CHECK(error_of([] { read_questions("/nowhere/x.jsonl"); }).find("/nowhere/x.jsonl: cannot be opened") !=
        std::string::npos);
  const QuestionSet set = set_of("\xEF\xBB\xBF{\"user\":\"几\",\"answer\":\"1\"}\r\n{\"user\":\"a\",\"answer\":\"2\"}");
  CHECK(set.name == "some");
  CHECK(set.questions.size() == 2);
  CHECK_FALSE(set.is_chinese);  // Half of them.
}

TEST_CASE("examples are the split dev of the same kind, or the first questions") {
  const auto line = [](const char* text, const char* subject, const char* split) {
    return fmt::format(R"({{"question":"{}","A":"x","B":"y","answer":"A","subject":"{}","split":"{}"}})", text, subject,
                       split) +
           "\n";
  };
  const QuestionSet set = set_of(line("d1", "one", "dev") + line("q1", "one", "test") + line("d2", "two", "dev") +
                                     line("d3", "two", "dev") + line("q2", "two", "test") + line("q3", "three", "test"),
                                 2);
  const auto texts = [&](size_t question) {
    std::vector<std::string> all;
    for (const Question* example : examples_for(set, set.questions[question], 2)) all.push_back(example->text);
    return all;
  };
  REQUIRE(set.questions.size() == 3);
  CHECK(texts(0) == std::vector<std::string>{"d1"});
  CHECK(texts(1) == std::vector<std::string>{"d2", "d3"});
  CHECK(texts(2) == std::vector<std::string>{"d1", "d2"});
  const std::string plain = line("a", "", "test") + line("b", "", "test") + line("c", "", "test");
  const QuestionSet apart = set_of(plain, 2);
  REQUIRE(apart.questions.size() == 1);
  CHECK(apart.questions[0].text == "c");
  CHECK(apart.examples.size() == 2);
  CHECK(set_of(plain).questions.size() == 3);
  CHECK(error_of([&] { set_of(plain, 3); }).find("holds no question") != std::string::npos);
  CHECK(error_of([&] { set_of(plain, 4); }).find("has 3 for examples, expected 4 or more") != std::string::npos);
}

TEST_CASE("the hash of a set depends on every question, option and answer") {
  const std::string base = R"({"question":"q","A":"x","B":"y","answer":"A"})";
  const uint64_t hash = set_of(base).hash();
  CHECK(set_of(base + "\n\n").hash() == hash);
  for (const char* other :
       {R"({"question":"p","A":"x","B":"y","answer":"A"})", R"({"question":"q","A":"z","B":"y","answer":"A"})",
        R"({"question":"q","A":"x","B":"y","answer":"B"})", R"({"question":"q","A":"x","B":"y","C":"z","answer":"A"})",
        R"({"question":"q","A":"x","B":"y","answer":"A","subject":"s"})"}) {
    CAPTURE(other);
    CHECK(set_of(other).hash() != hash);
  }
}

TEST_CASE("the public sets are read whole") {
  const auto choice = tinyllm::test::shared_data("eval_choice_zh.jsonl");
  const auto math = tinyllm::test::shared_data("eval_math_zh.jsonl");
  const auto cot = tinyllm::test::shared_data("cot_zh.jsonl");
  if (!choice || !math || !cot) return;
  const QuestionSet choices = read_questions(*choice, 5);
  CHECK(choices.questions.size() + choices.examples.size() == 4873);
  CHECK(choices.examples.size() == 335);
  CHECK(choices.is_chinese);
  CHECK(read_questions(*math).questions.size() == 600);
  CHECK(read_questions(*cot).questions.size() == 13619);
}

}  // namespace tinyllm::eval::test
