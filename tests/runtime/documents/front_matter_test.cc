#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/front_matter.h>

#include "runtime/documents/text_cases.h"

namespace tinyllm::test {

using namespace documents;
namespace {

std::string without(std::string text, bool opens_document = true) {
  remove_front_matter(text, opens_document);
  return text;
}

}  // namespace

TEST_CASE("front matter goes wherever a document or a page begins, and line numbers stay") {
  const std::vector<TextCase> cases = {
      {"YAML", "---\ntitle: Tea\ntags:\n  - a\n---\nText\n", "\n\n\n\n\nText\n"},
      {"YAML that ends with dots", "---\ntitle: Tea\n...\nText\n", "\n\n\nText\n"},
      {"TOML", "+++\ntitle = 'Tea'\n[x]\n+++\nText\n", "\n\n\n\nText\n"},
      {"JSON", "{\n  \"title\": \"Tea\"\n}\nText\n", "\n\n\nText\n"},
      {"after blank lines, of Windows", "\r\n---\r\ntitle: Tea\r\n---\r\nText\r\n", "\r\n\n\n\nText\r\n"},
      {"after a mark", "\xEF\xBB\xBF---\ntitle: Tea\n---\nText\n", "\xEF\xBB\xBF\n\n\nText\n"},
      {"of any names at the beginning", "---\nweather: fine\n---\nText\n", "\n\n\nText\n"},
      {"after a document break", "One\n\f\n---\nweather: fine\n---\nTwo\n", "One\n\f\n\n\n\nTwo\n"},
      {"of pages that were joined", "---\ntitle: A\n---\nOne\n---\ntitle: B\ndate: 2020-01-01\n---\nTwo\n",
       "\n\n\nOne\n\n\n\n\nTwo\n"},
  };
  check_cases([](const std::string& text) { return without(text); }, cases);
  CHECK(without("One\n---\ntitle: B\n---\nTwo\n", false) == "One\n\n\n\nTwo\n");
}

TEST_CASE("rules, lists of settings and examples stay") {
  for (const char* text : {
           "One\n\n---\n\nTwo\n\n---\n\nThree\n",
           "One\n---\nNote: this is prose\n---\nTwo\n",
           "One\n---\nHe said: no\n---\nTwo\n",
           "---\nThis line is not a setting\n---\nText\n",
           "---\ntitle: never closed\n",
           "---\n---\nText\n",
           "One\n```yaml\n---\ntitle: Example\n---\n```\nTwo\n",
           "{\n  \"title\": \"the whole file\"\n}\n",
           "{\n  \"weather\": \"fine\"\n}\nText\n",
           "{\nnot JSON\n}\nText\n",
           "a --- b +++ c\n",
           "",
       }) {
    CAPTURE(text);
    CHECK(without(text) == text);
  }
}

TEST_CASE("many marks that open and do not close leave a text as it is") {
  for (const char* part :
       {"---\n", "+++\n", "+++\n---\n", "---\ntitle: a\n+++\n", "---\ntitle: a\n\n", "{\n", "---\n- \n"}) {
    const std::string text = repeat(part, 20000);
    CHECK_MESSAGE(without(text + "end").ends_with("end"), part);
  }
}

}  // namespace tinyllm::test
