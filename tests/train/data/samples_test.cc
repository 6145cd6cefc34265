#include <doctest/doctest.h>

#include <tinyllm/model/text/reasoning.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/data/samples.h>

#include "temp_folder.h"
#include "test_data.h"

#include <map>

namespace tinyllm::test {
namespace {

// What a sample says, in one string: system|user|assistant|user|..., with ~ before what is not learned.
std::string told(const AnySample& sample) {
  if (const auto* choice = std::get_if<Choice>(&sample)) {
    return fmt::format("{}|{}|{}|{}|{}", choice->subject, choice->split, choice->question,
                       fmt::join(choice->options, "/"), choice->answer);
  }
  const auto* preference = std::get_if<Preference>(&sample);
  std::string text;
  for (const Message& message : preference ? preference->prompt : std::get<Messages>(sample)) {
    const bool is_unlearned = message.role == Role::assistant && !message.learned;
    if (message.role != Role::system) text += is_unlearned ? "|~" : "|";
    text += message.content + message.tool_calls;
  }
  return preference ? text + "+" + preference->chosen + "-" + preference->rejected : text;
}

std::string problem_of(std::string_view line, std::optional<SampleForm> form = {}) {
  try {
    return "none: " + told(parse_sample(line, form).sample);
  } catch (const Error& error) {
    return error.what();
  }
}

struct BadLines {
  std::map<int64_t, std::string> problems;
  SampleOptions options{.on_bad = [this](int64_t line, const std::string& problem) { problems[line] = problem; }};
};

}  // namespace

TEST_CASE("every form is found from its fields and says the same as its words do") {
  const struct {
    SampleForm form;
    std::string line;
    std::string told;
  } cases[] = {
      {SampleForm::chat, R"({"user": "问", "assistant": "答", "source": 7})", "|问|答"},
      {SampleForm::chat, R"({"system": "s", "user": "q", "assistant": "a"})", "s|q|a"},
      {SampleForm::cot, R"({"user": "q", "cot": "c", "final": "f", "answer": "1", "system": "s"})",
       "s|q|" + reasoning("c", "f")},
      {SampleForm::question, R"({"user": "1+1", "answer": "2"})", "|1+1|2"},
      {SampleForm::alpaca, R"({"instruction": "i", "input": "", "output": "o"})", "|i|o"},
      {SampleForm::alpaca, R"({"instruction": "i", "input": "x", "output": "o", "system": "s"})", "s|i\nx|o"},
      {SampleForm::alpaca, R"({"instruction": "i", "input": null, "output": "o", "history": [["q", "a"], ["r", "b"]]})",
       "|q|a|r|b|i|o"},
      {SampleForm::sharegpt,
       R"({"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "q"},
          {"from": "gpt", "value": "a"}, {"from": "user", "value": "r"}, {"from": "assistant", "value": "b"}]})",
       "s|q|a|r|b"},
      {SampleForm::sharegpt,
       R"({"system": "s", "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]})",
       "s|q|a"},
      {SampleForm::messages,
       R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "text", "text": "r"}]},
          {"role": "assistant", "content": "a"}]})",
       "|qr|a"},
      {SampleForm::messages,
       R"({"messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": "q"},
          {"role": "assistant", "content": "a", "weight": 0}, {"role": "user", "content": "r"},
          {"role": "assistant", "content": "b", "weight": 1.0}]})",
       "s|q|~a|r|b"},
      {SampleForm::messages,
       R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [7]},
          {"role": "tool", "content": ""}, {"role": "assistant", "content": "a"}]})",
       "|q|[7]||a"},
      {SampleForm::completion, R"({"prompt": "q", "completion": "a"})", "|q|a"},
      {SampleForm::completion,
       R"({"prompt": "q", "completion": [{"role": "assistant", "content": "a"}], "system": "s"})", "s|q|a"},
      {SampleForm::completion,
       R"({"prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"},
          {"role": "assistant", "content": "a"}, {"role": "user", "content": "r"}],
          "completion": [{"role": "assistant", "content": "b"}, {"role": "user", "content": "t"},
          {"role": "assistant", "content": "c"}]})",
       "s|q|~a|r|b|t|c"},
      {SampleForm::alpaca, R"({"instruction": "", "input": "x", "output": "o"})", "|x|o"},
      {SampleForm::chat,
       R"({"user": "half \ud83d", "assistant": "a", "id": 99999999999999999999, "score": [1e400, NaN]})",
       "|half \uFFFD|a"},
      {SampleForm::preference, R"({"system": "s", "user": "q", "chosen": "a", "rejected": "b"})", "s|q+a-b"},
      {SampleForm::preference, R"({"prompt": "q", "chosen": "a", "rejected": "b"})", "|q+a-b"},
      {SampleForm::preference, R"({"instruction": "i", "input": "x", "chosen": "a", "rejected": "b"})", "|i\nx+a-b"},
      {SampleForm::preference,
       R"({"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "a"},
          "rejected": {"from": "gpt", "value": "b"}})",
       "|q+a-b"},
      {SampleForm::preference,
       R"({"prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}],
          "chosen": [{"role": "assistant", "content": "a"}], "rejected": [{"role": "assistant", "content": "b"}]})",
       "s|q+a-b"},
      {SampleForm::preference,
       R"({"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
          "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]})",
       "|q+a-b"},
      {SampleForm::choice, R"({"subject": "u", "split": "dev", "question": "q", "A": "x", "B": "y", "answer": "B"})",
       "u|dev|q|x/y|1"},
      {SampleForm::choice, R"({"question": "q", "A": "x", "B": "y", "C": "z", "D": "w", "E": "v", "answer": "A"})",
       "||q|x/y/z/w/v|0"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.line);
    const ParsedSample parsed = parse_sample(c.line);
    CHECK(text_of(parsed.form) == text_of(c.form));
    CHECK(told(parsed.sample) == c.told);
    CHECK(told(parse_sample(c.line, c.form).sample) == c.told);
  }
}

TEST_CASE("a bad line is told by what was found and what was expected") {
  const auto messages = [](std::string_view list) { return fmt::format(R"({{"messages": [{}]}})", list); };
  const std::string user = R"({"role": "user", "content": "q"})";
  const std::string assistant = R"({"role": "assistant", "content": "a"})";
  const std::string cut = R"({"user": "q", "assista)";
  const struct {
    std::string line;
    std::string problem;
    std::optional<SampleForm> form = {};
  } cases[] = {
      {cut, fmt::format("is cut off after {} bytes, expected a whole object", cut.size())},
      {"{\"user\": \"q\xFF\"}", "byte 12: 0xFF is not UTF-8"},
      {R"({"user": "q",})", "byte 14: is not JSON from there on, expected one object"},
      {R"({"user": 1e999, "assistant": "a"})", "field user: is a number, expected a string"},
      {R"({"user": "\ud83d", "x": 1e999,})", "byte 31: is not JSON from there on"},
      {"null", "is null, expected an object"},
      {"7", "is a number, expected an object"},
      {R"([{"user": "q"}])", "begins a list, expected an object in each line"},
      {R"({"text": "x", "source": "y"})", R"(unknown form of sample, with the fields "source", "text"; expected)"},
      {R"({"user": "q"})", "field assistant: missing", SampleForm::chat},
      {R"({"user": "q", "assistant": null})", "field assistant: missing", SampleForm::chat},
      {R"({"user": " \n", "assistant": "a"})", "field user: is empty, expected text"},
      {R"({"user": "q", "assistant": ""})", "field assistant: is empty, expected text"},
      {R"({"user": "q", "assistant": 5})", "field assistant: is a number, expected a string"},
      {R"({"user": "q", "assistant": "a", "system": []})", "field system: is a list, expected a string"},
      {R"({"user": "q", "cot": "", "final": "f"})", "field cot: is empty"},
      {R"({"user": "q", "assistant": "a"})", "is of the form chat, expected alpaca as in the lines before",
       SampleForm::alpaca},
      {R"({"instruction": "i", "output": "o", "history": [["q"]]})", "field history: item 1: expected a list"},
      {R"({"messages": 1})", "field messages: is a number, expected a list of messages"},
      {messages(""), "field messages: is an empty list, expected a list of messages"},
      {messages("3"), "field messages: message 1: is a number, expected a message"},
      {messages(assistant + "," + user), "field messages: message 1: is the assistant's, expected the user's"},
      {messages(user + "," + user), "field messages: message 2: is the user's, expected the assistant's"},
      {messages(user), "field messages: ends without a message of the assistant"},
      {messages(user + "," + assistant + R"(,{"role": "system", "content": "s"})"),
       "field messages: message 3: is the system's, expected it to be the first"},
      {messages(R"({"role": "system", "content": "s"})"), "ends without a message of the assistant"},
      {messages(R"({"role": "tool", "content": "s"})"), "message 1: is the tool's, expected the user's"},
      {messages(R"({"role": "robot", "content": "s"})"), R"(message 1: role "robot", expected system, user)"},
      {messages(R"({"content": "s"})"), "message 1: field role: missing"},
      {messages(user + R"(,{"role": "assistant", "content": ""})"), "message 2: is empty, expected text"},
      {messages(R"({"role": "user", "content": [{"type": "image_url"}]})"),
       R"(message 1: a part of the content is of type "image_url", expected text)"},
      {messages(user + R"(,{"role": "assistant", "content": "a", "weight": 0.5})"),
       "message 2: field weight: is 0.5, expected 0 or 1"},
      {R"({"prompt": "q", "completion": 5})", "field completion: is a number, expected a string or a list of messages"},
      {R"({"prompt": " ", "completion": "a"})", "field prompt: message 1: is empty, expected text"},
      {fmt::format(R"({{"prompt": [{}], "completion": [{}]}})", user, user),
       "field prompt and completion: message 2: is the user's, expected the assistant's"},
      {R"({"instruction": "", "input": " ", "output": "o"})", "field instruction: is empty"},
      {R"({"user": "q", "chosen": "a", "rejected": "a"})", "chosen and rejected: are the same"},
      {R"({"chosen": "a", "rejected": "b"})", "field user: missing"},
      {R"({"user": "q", "chosen": {"role": "user", "content": "a"}, "rejected": "b"})",
       "field chosen: expected a message of the assistant"},
      {fmt::format(R"({{"user": "q", "chosen": [{}, {}], "rejected": "b"}})", user, assistant),
       "chosen and rejected: answer different prompts"},
      {R"({"question": "q", "A": "x", "B": "y", "answer": "C"})",
       R"(field answer: "C", expected a letter from A to B)"},
      {R"({"question": "q", "A": "x", "C": "y", "answer": "A"})", "field B: missing", SampleForm::choice},
      {fmt::format("{}{}", R"({"user": "q", "assistant": )", std::string(100000, '[')), "nested deeper than 64 levels"},
  };
  for (const auto& c : cases) {
    const std::string found = problem_of(c.line, c.form);
    CHECK_MESSAGE(found.find(c.problem) != std::string::npos, c.line.substr(0, 200), ": ", found);
  }
}

TEST_CASE("lists in lists, however many, are refused") {
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  CHECK(problem_of(R"({"user": "q", "chosen": )" + deep + R"(, "rejected": "b"})") ==
        "JSON: line 1, byte 88: nested deeper than 64 levels");
}

TEST_CASE("bad lines are passed over and told by number, and the first good line says the form") {
  const TempFolder folder;
  const std::filesystem::path path = folder / "mixed.jsonl";
  write_file(path, std::string_view("\xEF\xBB\xBF{\"user\": \"cut\n"
                                    "{\"user\": \"一\", \"assistant\": \"1\"}\r\n"
                                    "\n"
                                    "{\"instruction\": \"i\", \"output\": \"o\"}\n"
                                    "{\"user\": \"longer than forty bytes\", \"assistant\": \"2\"}\n"
                                    "{\"user\": \"二\", \"assistant\": \"2\"}"));
  BadLines bad;
  bad.options.max_line = 40;
  SampleReader reader(path, bad.options);
  std::vector<std::string> found;
  while (const std::optional<AnySample> sample = reader.next()) found.push_back(told(*sample));
  CHECK(found == std::vector<std::string>{"|一|1", "|二|2"});
  REQUIRE(bad.problems.size() == 3);
  CHECK(bad.problems[1] == "is cut off after 13 bytes, expected a whole object");
  CHECK(bad.problems[4] == "is of the form alpaca, expected chat as in the lines before");
  CHECK(bad.problems[5] == "has 53 bytes, expected at most 40");
  CHECK(reader.counts().lines == 6);
  CHECK(reader.counts().samples == 2);
  CHECK(reader.counts().bad == 3);
  CHECK(reader.counts().bytes == static_cast<int64_t>(std::filesystem::file_size(path)));

  CHECK_THROWS_WITH_AS(read_samples<Messages>(path), doctest::Contains("mixed.jsonl: line 1: is cut off"), Error);
}

TEST_CASE("fields that say nothing are counted by name, those of messages too") {
  const TempFolder folder;
  write_file(folder / "chats",
             std::string_view("{\"messages\": [{\"role\": \"user\", \"content\": \"q\", \"name\": \"n\"}, "
                              "{\"role\": \"assistant\", \"content\": \"a\"}], \"source\": 1}\n"
                              "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, "
                              "{\"role\": \"assistant\", \"content\": \"a\"}], \"source\": 2, \"system\": \"s\"}\n"
                              "{\"source\": 3}\n"));
  BadLines bad;
  SampleCounts counts;
  CHECK(read_samples<Messages>(folder / "chats", bad.options, &counts).size() == 2);
  CHECK(ignored_fields(counts) == R"("messages[].name" (1 sample), "source" (2 samples))");
  CHECK(ignored_fields({}).empty());
}

TEST_CASE("lines end with LF, CR or both, and are counted so") {
  const TempFolder folder;
  const std::string sample = R"({"user": "q", "assistant": "a"})";
  for (const std::string end : {"\n", "\r", "\r\n"}) {
    write_file(folder / "lines", sample + end + end + "{" + end + sample);
    BadLines bad;
    SampleReader reader(folder / "lines", bad.options);
    int samples = 0;
    while (reader.next()) ++samples;
    CHECK(samples == 2);
    CHECK(bad.problems.size() == 1);
    CHECK(bad.problems.contains(3));
    CHECK(reader.counts().lines == 4);
    CHECK(reader.counts().bytes == static_cast<int64_t>(std::filesystem::file_size(folder / "lines")));
  }
}

TEST_CASE("a file without samples, of another kind, or that cannot be read is refused") {
  const TempFolder folder;
  BadLines bad;
  write_file(folder / "empty", std::string_view("\n \n"));
  CHECK_THROWS_WITH_AS(read_samples<Messages>(folder / "empty"),
                       doctest::Contains("empty: holds no sample: 2 lines, 0 of them bad"), Error);
  write_file(folder / "none", std::string_view("null\n{}\n"));
  CHECK_THROWS_WITH_AS(read_samples<Choice>(folder / "none", bad.options),
                       doctest::Contains("none: holds no sample: 2 lines, 2 of them bad"), Error);
  write_file(folder / "pairs", std::string_view(R"({"user": "q", "chosen": "a", "rejected": "b"})"));
  CHECK(read_samples<Preference>(folder / "pairs").size() == 1);
  CHECK_THROWS_WITH_AS(read_samples<Messages>(folder / "pairs"),
                       doctest::Contains("pairs: holds samples of the form preference"), Error);
  CHECK_THROWS_WITH_AS(SampleReader(folder / "missing"), doctest::Contains("missing: cannot be opened"), Error);
  SampleReader reader(folder.path());
  CHECK_THROWS_WITH_AS(reader.next(), doctest::Contains("cannot be read"), Error);
}

TEST_CASE("the big sets are read without a bad line") {
  const struct {
    const char* name;
    SampleForm form;
    int64_t samples;  // As that folder's README says.
  } sets[] = {{"sft_zh.jsonl", SampleForm::chat, 23744},          {"sft_en.jsonl", SampleForm::chat, 8142},
              {"cot_zh.jsonl", SampleForm::cot, 13619},           {"cot_en.jsonl", SampleForm::cot, 10433},
              {"preference.jsonl", SampleForm::preference, 3852}, {"eval_choice_zh.jsonl", SampleForm::choice, 4873},
              {"eval_math_zh.jsonl", SampleForm::question, 600}};
  for (const auto& set : sets) {
    CAPTURE(set.name);
    const auto path = shared_data(set.name);
    if (!path) continue;
    SampleReader reader(*path);
    while (reader.next()) {
    }
    CHECK(reader.counts().samples == set.samples);
    CHECK(reader.counts().lines == set.samples);
    CHECK(reader.counts().form == set.form);
  }
  const auto dirty = shared_data("raw_dirty/17_broken.jsonl");
  if (!dirty) return;
  BadLines bad;
  SampleReader broken(*dirty, bad.options);
  CHECK_FALSE(broken.next().has_value());
  CHECK(broken.counts().bad == static_cast<int64_t>(bad.problems.size()));
}

}  // namespace tinyllm::test
