// Templates that come from strangers, and what errors say.
#include <doctest/doctest.h>

#include "error_of.h"
#include "model/text/jinja/render.h"

namespace tinyllm::test {
namespace {

std::string render_error(const std::string& source) {
  return error_of([&] { JinjaTemplate(source).render({}); });
}

std::string repeated(std::string_view part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += part;
  return text;
}

}  // namespace

TEST_CASE("jinja: errors name the line and the thing") {
  const struct {
    std::string source, expected;
  } rows[] = {
      {"\n{% include 'x' %}", "chat template, line 2: the tag 'include' is not supported"},
      {"a\n\n{{ 1 | rot13 }}", "chat template, line 3: the filter 'rot13' is not supported"},
      {"{{ 1 is prime }}", "chat template, line 1: the test 'prime' is not supported"},
      {"\n{{ x.y }}", "chat template, line 2: 'x' is undefined"},
      {"{{ messages[0].role }}", "chat template, line 1: a list has no item 0"},
      {"{{ 1 + 'a' }}", "chat template, line 1: '+' does not take an integer and a string"},
      {"{{ f(*a) }}", "chat template, line 1: arguments with * are not supported"},
      {"{{ 2 ** 3 }}", "chat template, line 1: found **, expected the end of the tag"},
      {"{% for a in b %}\n", "chat template, line 1: the template ends, expected endfor"},
      {"{% if 1 %}\n{% endfor %}", "chat template, line 2: the tag 'endfor' is not supported"},
      {"{{ 'a' }", "chat template, line 1: unexpected '}'"},
      {"{{ 'a", "chat template, line 1: the string has no end"},
      {"{% raw %}", "chat template, line 1: raw has no endraw"},
      {"\n\n{{ raise_exception('System role not supported') }}",
       "chat template, line 3: the template refuses this: System role not supported"},
      {"{{ [].append(1) }}", "chat template, line 1: a list has no attribute 'append'"},
      {"{{ 9223372036854775807 + 1 }}", "chat template, line 1: an integer is too large"},
      {"{{ range(100001) }}", "chat template, line 1: range: has more than 100000 numbers"},
      {"{% set ns = namespace() %}{% set ns.a = ns %}",
       "chat template, line 1: a namespace cannot be in a list, a dict or a namespace"},
      {"{{ ''.replace('a') }}", "chat template, line 1: replace: lacks the argument 'new'"},
      {"{{ '' | trim(chars=5) }}",
       "chat template, line 1: trim: the argument 'chars' is an integer, expected a string"},
      {"\xff", "chat template: line 1, byte 1: 0xFF is not UTF-8"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.source);
    CHECK(render_error(row.source) == row.expected);
  }
}

TEST_CASE("jinja: nesting has a limit while a template is read") {
  const int deep = 20000;
  CHECK(render_error("{{ " + repeated("(", deep) + "1" + repeated(")", deep) + " }}").find("nests deeper") !=
        std::string::npos);
  CHECK(render_error("{{ " + repeated("[", deep) + repeated("]", deep) + " }}").find("nests deeper") !=
        std::string::npos);
  CHECK(render_error("{{ " + repeated("- ", deep) + "1 }}").find("nests deeper") != std::string::npos);
  CHECK(render_error("{{ " + repeated("not ", deep) + "1 }}").find("nests deeper") != std::string::npos);
  CHECK(render_error("{{ " + repeated("1 if 1 else ", deep) + "1 }}").find("nests deeper") != std::string::npos);
  CHECK(render_error(repeated("{% if 1 %}", deep) + repeated("{% endif %}", deep)).find("nests deeper") !=
        std::string::npos);
  CHECK(render_error(std::string(JinjaTemplate::kMaxSourceBytes + 1, 'x')).find("expected at most") !=
        std::string::npos);
}

TEST_CASE("jinja: long chains nest nothing") {
  const int count = 20000;
  CHECK(render_error("{{ 1" + repeated(" + 1", count) + " }}") == "no error");
  CHECK(render_error("{{ ''" + repeated(" ~ ''", count) + " }}") == "no error");
  CHECK(render_error("{{ ''" + repeated("|trim", count) + " }}") == "no error");
  CHECK(render_error("{{ 1" + repeated(" and 1", count) + " }}") == "no error");
  CHECK(render_error("{{ 'a'" + repeated("[0]", count) + " }}") == "no error");
  CHECK(render_error("{% if 0 %}" + repeated("{% elif 0 %}", count) + "{% endif %}") == "no error");
}

TEST_CASE("jinja: depth, steps and sizes have limits while a template runs") {
  const std::string steps = fmt::format("takes more than {} steps", JinjaTemplate::kMaxSteps);
  const std::string size = "makes a text of more than 16777216 bytes";
  const std::string hundred = "{% for i in range(100) %}";
  const std::string ends = repeated("{% endfor %}", 5);
  const struct {
    std::string source, expected;
  } rows[] = {
      {"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "nests deeper than 400 levels"},
      {repeated(hundred, 5) + ends, steps},
      {"{% set ns = namespace(x=[]) %}" + hundred + "{% set ns.x = [ns.x] %}{% endfor %}",
       "nests deeper than 80 levels"},
      {"{% set ns = namespace(x={}) %}" + hundred + "{% set ns.x = {'a': ns.x.items} %}{% endfor %}",
       "nests deeper than 80 levels"},
      {"{% set ns = namespace(x='ab') %}" + hundred + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}", size},
      {"{{ 'abc' * 1000000000 }}", steps},
      {"{{ [1] * 1000000000 }}", steps},
      {"{{ '' * 1000000000000 }}", "no error"},
      {"{{ ('x' * 5000).replace('', 'y' * 10000) }}", size},
      {"{% set ns = namespace(x=[1]) %}" + hundred + "{% set ns.x = ns.x + ns.x %}{% endfor %}", steps},
      {"{% set s = 'xxxxxxxxxx' * 1000 %}" + hundred + hundred + hundred + "{{ s }}" + repeated("{% endfor %}", 3),
       size},
  };
  for (const auto& row : rows) {
    CAPTURE(row.source.substr(0, 200));
    CHECK(render_error(row.source).find(row.expected) != std::string::npos);
  }
}

TEST_CASE("jinja: finding what is learned has the same limit on steps") {
  JinjaInput input;
  for (int i = 0; i < 50; ++i) {
    input.messages.push_back({{"role", "user"}, {"content", fmt::format("{}", i)}});
    input.messages.push_back({{"role", "assistant"}, {"content", fmt::format("{}", i)}});
  }
  // Each prompt differs from the others, so that each has to be rendered alone.
  const JinjaTemplate costly(
      "{% for m in messages %}{% for i in range(1000) %}{% endfor %}<{{ loop.index }}>{{ m.content }}{% endfor %}");
  CHECK_NOTHROW(costly.render(input));
  CHECK_THROWS_WITH_AS(costly.render(input, true), doctest::Contains("takes more than"), Error);
}

TEST_CASE("jinja: the date is the one given, or today's") {
  JinjaInput input;
  input.now = std::tm{};
  input.now->tm_mday = 26;
  input.now->tm_mon = 6;
  input.now->tm_year = 124;
  CHECK(text_of(JinjaTemplate("{{ strftime_now('%d %b %Y') }}").render(input)) == "26 Jul 2024");
  CHECK(text_of(JinjaTemplate("{{ strftime_now('') }}").render(input)).empty());
  CHECK(text_of(JinjaTemplate("{{ strftime_now('%Y') }}").render({})).size() == 4);
}

TEST_CASE("jinja: input that no template can have is refused") {
  JinjaInput input;
  input.messages = {"text"};
  CHECK_THROWS_WITH_AS(JinjaTemplate("").render(input), "message 1: is a string, expected an object", Error);
  input.messages = {{{"role", "user"}, {"content", "\xff"}}};
  CHECK_THROWS_AS(JinjaTemplate("").render(input), Error);
  input.messages = {{{"role", "user"}, {"content", uint64_t{1} << 63}}};
  CHECK_THROWS_AS(JinjaTemplate("").render(input), Error);
  OrderedJson deep = 1;
  for (int i = 0; i < 90; ++i) deep = OrderedJson::array({std::move(deep)});
  input.messages = {{{"role", "user"}, {"content", std::move(deep)}}};
  CHECK_THROWS_AS(JinjaTemplate("").render(input), Error);
}

}  // namespace tinyllm::test
