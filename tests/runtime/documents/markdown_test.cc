#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/markdown.h>
#include <tinyllm/runtime/documents/markdown_search.h>

#include "runtime/documents/text_cases.h"

namespace tinyllm::test {

using namespace documents;

TEST_CASE("the marks of Markdown go, the words stay") {
  const std::vector<TextCase> cases = {
      {"headings", "# Tea\n## 泡茶 ##\n### Pots {#pots}\nCups\n====\n", "Tea\n泡茶\nPots\nCups\n"},
      {"emphasis", "*one* **two** ***three*** _four words_ __five words__ ~~six~~",
       "one two three four words five words six\n"},
      {"emphasis twice over", "\\***\\*one\\*\\***: **\\*\\*two\\*\\*** \\*three\\*", "one: two *three*\n"},
      {"emphasis within Chinese", "这是**很**好的*绿*茶，**“香”**得很。", "这是很好的绿茶，“香”得很。\n"},
      {"entities of HTML 5", "&lpar;a&rpar; &nvle; &#150; &#x80;&Tab;b &copy c &notit;\n",
       "(a) \u2264\u20D2 – € b &copy c &notit;\n"},
      {"code of several back quotes", "`a ``b` ``c`d`` `e ``f\n", "a ``b c`d `e ``f\n"},
      {"indented code", "    for x:\n        pour(x)\n", "    for x:\n        pour(x)\n"},
      {"code", "use `pour(*cup)` or ``a`b``\n", "use pour(*cup) or a`b\n"},
      {"links", "a [list](http://a.b/c_(d) \"t\"), [more][1] and [More].\n\n[1]: http://a.b\n[more]: <c.html> 'x'\n",
       "a list, more and More.\n\n"},
      {"emphasis in a link", "[**tea** (green)](x/y.md)", "tea (green)\n"},
      {"images", "one ![pot](p.png) two[![x](y.png)](z.html) ![a][b]", "one  two \n"},
      {"notes", "tea[^1]\n\n[^1]: from China\n", "tea\n\nfrom China\n"},
      {"quotes", "> one\n> > two\n>三\n", "one\ntwo\n三\n"},
      {"lists", "* one\n  + two\n- [x] three\n1. four\n", "- one\n  - two\n- three\n1. four\n"},
      {"a table", "| tea | price |\n|:----|---:|\n| **green** | 3<br>4 |\n", "tea\tprice\ngreen\t3 4\n"},
      {"a bar within a cell", "| A | B \\| C |\n|---|---|\n| \\|x | y |\n", "A\tB | C\n|x\ty\n"},
      {"rules", "one\n\n---\n\n* * *\ntwo\n", "one\n\ntwo\n"},
      {"code blocks", "a\n```c++ x\n*p = <b>;\n# no heading\n```\nb\n  ~~~~\n```\n  ~~~~\n*c*\n",
       "a\n*p = <b>;\n# no heading\nb\n```\nc\n"},
      {"a code block without an end", "```\n*a*\n", "*a*\n"},
      {"entities and escapes", "1 &lt; 2 &amp; caf&eacute; &#33590; \\*no\\* &nothing; &#0;\n",
       "1 < 2 & café 茶 *no* &nothing; &#0;\n"},
      {"many empty lines", "\n\none\n\n\n\ntwo\r\n\r\n\r\n", "one\n\ntwo\n\n"},
  };
  check_cases([](std::string_view text) { return markdown_text(text); }, cases);
}

TEST_CASE("HTML and shortcodes within Markdown go") {
  const std::vector<TextCase> cases = {
      {"tags", "<div class=\"a > b\">\n\none <b>two</b> H<sub>2</sub>O<br/>three</div>\n", "one two H2O\nthree\n\n"},
      {"a tag of several lines", "see <a\n  href='x'\n>here</a>.", "see here.\n"},
      {"comments", "one <!-- gone\n\ngone --> two", "one  two\n"},
      {"scripts and styles", "one\n<script src=x>\ngone()\n</script>\n<style>gone</style>\ntwo", "one\n\ntwo\n"},
      {"components", "<Tabs>\n  <Tab name=\"a\">\n\ntea\n\n</Tab></Tabs>\n<Box/>\n", "tea\n\n"},
      {"shortcodes", "{{< video x >}}\none {% embed y %}{{ kept }}\n:::tip\ntwo\n:::\n", "one {{ kept }}\ntwo\n"},
  };
  check_cases([](std::string_view text) { return markdown_text(text); }, cases);
}

TEST_CASE("plain text that only looks like it is left alone") {
  const std::vector<std::string> texts = {
      "a < b, c<d and e > f; x <y and z>; 3 <4; <-- look; <3\n",
      "2 * 3 * 4 = 24, 2*3*4, f(*args, **kwargs), *p = *q;\n",
      "the value of __init__ or snake_case_name or _private\n",
      "std::vector<int> v; Map<String, List<T>> m; f[i](x); a[0][1] = b[2];\n",
      "$\\mathbf{x}_{t} = \\sum_{i} w_{i}^* f^*(x)_{i}$\n",
      "#hashtag, C# and #1; --- and === within; 5 - 3 + 2\n",
      "AT&T; R&D; a & b; &; &x\n",
      "C:\\new\\table, \\[x\\] and \\{y\\}\n",
      "【注】[1] 见第3页 [sic]；《茶经》（760年）\n",
      "docker run <image> <output>\n",
      "-5 degrees\n+5 degrees\n>= 5 degrees\n",
      "---\nThis line is no setting\n",
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(markdown_text(text) == (text.starts_with("---\n") ? text.substr(4) : text));
  }
}

TEST_CASE("Markdown of one mark many thousand times, and of any bytes, is read to its end") {
  constexpr int kMany = 200000;
  for (const char* part :
       {"[",   "![",   "](",  "[a](", "<",  "<a b=\"", "<!--",  "<p>", "|<br>", "`",        "`` `", "*",
        "*a ", "_a*b", "{{<", "&",    "> ", "# ",      "```\n", "- ",  "\\",    "<script>", "\xFF", "\xE8\x8C"}) {
    CAPTURE(part);
    CHECK(markdown_text(repeat(part, kMany) + "\n\nend\n").find("end") != std::string::npos);
  }
  CHECK(markdown_text("").empty());
}

TEST_CASE("Markdown of marks that nothing ends is searched in linear time") {
  const auto searched = [](const std::string& text) {
    const int64_t before = detail::bytes_searched;
    markdown_text(text);
    return detail::bytes_searched - before;
  };
  // Runs of back quotes, each of another size.
  const auto runs = [](int many) {
    std::string text;
    for (int i = 1; i <= many; ++i) text += std::string(static_cast<size_t>(i), '`') + ' ';
    return text;
  };
  CHECK(searched(runs(1000)) <= 3 * std::ssize(runs(1000)));
  constexpr int kMany = 20000;
  for (const char* part :
       {"[",        "[a",       "![",       "[a](",         "[a][",       "f[i](",   "`` `",         "` ``",
        "<!--",     "<!-- -->", "<script>", "<svg><style>", "{{<",        "{{% {% ", "{{< {{% >}} ", "<a b=\"",
        "<a b='\"", "   <b>",   "\\*",      "**\\*",        "*a _b __c ", "_a*b",    "~~a ",         "> ",
        "&",        "&a;",      "| a ",     "- [ ] "}) {
    CAPTURE(part);
    // A label that links may refer to, so that all brackets are looked up; a mark's end is searched for in both passes.
    const std::string text = "[a]: /b\n\n" + std::string(kMany, ' ') + repeat(part, kMany) + repeat("]", kMany);
    CHECK(searched(text) <= 4 * std::ssize(text));
  }
}

}  // namespace tinyllm::test
