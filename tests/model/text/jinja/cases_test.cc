// Own templates, small and whole, against what Jinja2 makes of them.
#include <doctest/doctest.h>

#include "model/text/jinja/render.h"
#include "test_data.h"

#include <map>

namespace tinyllm::test {
namespace {

// Renders one case, and checks its text, or that it is refused.
void check_case(const std::string& source, const JinjaInput& input, const OrderedJson& wanted) {
  CAPTURE(source.substr(0, 500));
  if (wanted.contains("error")) {
    CHECK_THROWS_AS(JinjaTemplate(source).render(input), Error);
  } else {
    std::string text;
    CHECK_NOTHROW(text = text_of(JinjaTemplate(source).render(input)));
    CHECK(text == wanted["expected"].get<std::string>());
  }
}

// The cases of a file, whose templates are in a folder. Returns how many templates are missing there.
size_t check_conversations(const std::filesystem::path& cases, const std::filesystem::path& folder) {
  std::map<std::string, bool> missing;
  for (const OrderedJson& wanted : read_json_lines(cases)) {
    const std::string name = wanted["template"];
    CAPTURE(name);
    CAPTURE(wanted["case"].get<std::string>());
    const std::filesystem::path path = folder / (name + ".jinja");
    missing[name] = !std::filesystem::exists(path);
    if (!missing[name]) check_case(read_file(path), input_of(wanted["input"]), wanted);
  }
  return static_cast<size_t>(std::count_if(missing.begin(), missing.end(), [](const auto& m) { return m.second; }));
}

}  // namespace

TEST_CASE("jinja: small templates give what Jinja2 gives, and what it refuses is an Error") {
  const std::vector<OrderedJson> cases = read_json_lines(test_data("jinja/cases.jsonl"));
  const JinjaInput input = input_of(cases.at(0)["context"]);
  REQUIRE(cases.size() > 600);
  for (size_t i = 1; i < cases.size(); ++i) check_case(cases[i]["template"], input, cases[i]);
}

TEST_CASE("jinja: public templates give what Jinja2 gives") {
  CHECK(check_conversations(test_data("chat/cases.jsonl"), test_data("chat")) == 0);
}

TEST_CASE("jinja: more public templates, from beside the project") {
  const auto cases = shared("interchange/chat/dev.jsonl");
  if (!cases) return;
  const size_t missing = check_conversations(*cases, cases->parent_path() / "templates");
  if (missing > 0) MESSAGE("skipped: " << missing << " templates whose licence does not let them lie there");
}

}  // namespace tinyllm::test
