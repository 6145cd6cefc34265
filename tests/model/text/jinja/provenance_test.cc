// Where each character comes from.
#include <doctest/doctest.h>

#include "model/text/jinja/render.h"
#include "test_data.h"

namespace tinyllm::test {
namespace {

// What a template makes of one user's message, with brackets around what comes from it.
std::string traced(const std::string& source, const OrderedJson& content) {
  JinjaInput input;
  input.messages = {{{"role", "user"}, {"content", content}}};
  return marked(JinjaTemplate("{% set m = messages[0].content %}" + source).render(input),
                [](const JinjaRun& run) { return run.from_message; });
}

}  // namespace

TEST_CASE("jinja: a message's characters are its own through operators, filters and methods") {
  const struct {
    std::string source, expected;
  } rows[] = {
      {"{{ m }}", "⟦a<s>b⟧"},
      {"{{ '<s>' + m + '</s>' }}", "<s>⟦a<s>b⟧</s>"},
      {"{{ 1 ~ m ~ none }}", "1⟦a<s>b⟧None"},
      {"{{ m * 2 }}", "⟦a<s>ba<s>b⟧"},
      {"{{ m[1:4] }}{{ m[0] }}", "⟦<s>a⟧"},
      {"{{ ('x' ~ m)[::-1] }}", "⟦b>s<a⟧x"},
      {"{{ m.split('<s>') | join('<s>') }}", "⟦a⟧<s>⟦b⟧"},
      {"{{ m.replace('a', '<s>') }}", "<s>⟦<s>b⟧"},
      {"{{ 'AxB' | replace('x', m) }}", "A⟦a<s>b⟧B"},
      {"{{ m | replace(m, m) }}", "⟦a<s>b⟧"},
      {"{{ (' ' ~ m ~ ' ') | trim }}", "⟦a<s>b⟧"},
      {"{{ m.strip('a') }}{{ m | upper }}", "⟦<s>bA<S>B⟧"},
      {"{{ ('x' ~ m ~ 'y').title() }}", "X⟦a<S>B⟧y"},
      {"{{ m | tojson }}", "\"⟦a<s>b⟧\""},
      {"{{ [m] | string }}", "['⟦a<s>b⟧']"},
      {"{{ {'k': m} | tojson }}", "{\"k\": \"⟦a<s>b⟧\"}"},
      {"{{ '{}<s>'.format(m) }}", "⟦a<s>b⟧<s>"},
      {"{{ [m, m] | join('<s>') }}", "⟦a<s>b⟧<s>⟦a<s>b⟧"},
      {"{{ m.join(['x', 'y']) }}", "x⟦a<s>b⟧y"},
      {"{{ m | indent(2, true) }}", "  ⟦a<s>b⟧"},
      {"{{ m | list | join }}", "⟦a<s>b⟧"},
      {"{{ m | reverse }}", "⟦b>s<a⟧"},
      {"{% for c in m %}{{ c }},{% endfor %}", "⟦a⟧,⟦<⟧,⟦s⟧,⟦>⟧,⟦b⟧,"},
      {"{% set x %}<s>{{ m }}{% endset %}{{ x }}", "<s>⟦a<s>b⟧"},
      {"{% filter upper %}<s>{{ m }}{% endfilter %}", "<S>⟦A<S>B⟧"},
      {"{% macro f(x) %}<s>{{ x }}{% endmacro %}{{ f(m) }}", "<s>⟦a<s>b⟧"},
      {"{% set ns = namespace(x=m) %}{{ ns.x }}{{ messages | map(attribute='content') | join }}", "⟦a<s>ba<s>b⟧"},
      {"{{ m | default('<s>') }}{{ [m, 'a'] | sort | last }}", "⟦a<s>ba<s>b⟧"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.source);
    CHECK(traced(row.source, "a<s>b") == row.expected);
  }
}

TEST_CASE("jinja: objects of a message bring their brackets, keys and numbers along") {
  const OrderedJson content = {{"<s>", {1, "<s>", nullptr}}};
  CHECK(traced("<s>{{ m }}", content) == "<s>⟦{'<s>': [1, '<s>', None]}⟧");
  CHECK(traced("<s>{{ m | tojson }}", content) == "<s>⟦{\"<s>\": [1, \"<s>\", null]}⟧");
  CHECK(traced("{% for k, v in m.items() %}<s>{{ k }}{% endfor %}", content) == "<s>⟦<s>⟧");
}

TEST_CASE("jinja: usual roles may be part of a marker, others and all other input may not") {
  JinjaInput input;
  input.messages = {{{"role", "user"}, {"content", "x"}}, {{"role", "s"}, {"content", "y"}}};
  input.tools = {{{"name", "<s>"}}};
  input.extra = {{"date", "<s>"}};
  input.bos_token = "<s>";
  const auto runs = JinjaTemplate(
                        "{{ bos_token }}{{ date }}{{ tools[0].name }}{% for m in messages %}<{{ m.role }}>"
                        "{% endfor %}")
                        .render(input);
  CHECK(marked(runs, [](const JinjaRun& run) { return run.from_message; }) == "<s>⟦<s><s>⟧<user><⟦s⟧>");
}

TEST_CASE("jinja: in public templates, a marker that a user typed is the message's") {
  const auto check = [](const std::filesystem::path& cases, const std::filesystem::path& folder) {
    size_t found = 0;
    for (const OrderedJson& row : read_json_lines(cases)) {
      const std::filesystem::path path = folder / (row["template"].get<std::string>() + ".jinja");
      if (row["case"] != "marker_in_text" || !std::filesystem::exists(path)) continue;
      CAPTURE(row["template"].get<std::string>());
      const std::string typed = row["input"]["messages"][0]["content"];
      const auto runs = JinjaTemplate(read_file(path)).render(input_of(row["input"]));
      CHECK(
          std::any_of(runs.begin(), runs.end(), [&](const JinjaRun& r) { return r.from_message && r.text == typed; }));
      ++found;
    }
    CHECK(found > 0);
  };
  check(test_data("chat/cases.jsonl"), test_data("chat"));
  const auto cases = shared("interchange/chat/dev.jsonl");
  if (cases) check(*cases, cases->parent_path() / "templates");
}

}  // namespace tinyllm::test
