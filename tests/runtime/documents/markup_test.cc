#include <doctest/doctest.h>

#include <string>

#include "runtime/documents/encode.h"
#include "runtime/documents/read_document.h"

namespace tinyllm::test {

TEST_CASE("headings, tables and titles of Markdown and HTML are kept") {
  const struct {
    std::string_view what;
    std::string name;
    std::string text;
    std::string outline;
    std::string title;
  } cases[] = {
      {"headings of Markdown", "a.md", "# 甲\n\n一。\n\n## 乙 ##\n二。\n", "# 甲\n一。\n## 乙\n二。\n", "甲"},
      {"headings over lines", "a.md", "甲\n===\n\n一。\n\n乙\n---\n二。\n\n- 三\n---\n",
       "# 甲\n一。\n## 乙\n二。\n- 三\n", "甲"},
      {"a rule after a paragraph of two lines", "a.md", "甲\n乙\n\n---\n丙\n", "甲\n乙\n丙\n", "a"},
      {"a table of Markdown", "a.md", "| 甲 | 乙 |\n|---|---|\n| 1 | 2 |\n", "| 甲\t乙\n| 1\t2\n", "a"},
      {"settings before the text", "a.md", "---\ntitle: x # 1\n---\n# 甲\n", "# 甲\n", "x"},
      {"settings without a title", "a.md", "---\nsubtitle: x\n---\n# 甲\n", "# 甲\n", "甲"},
      {"a title in quotes", "a.md", "\n+++\ndate = 1\ntitle = \"x \\\"y\\\"\\n\"\n+++\n甲\n", "甲\n", "x \"y\" "},
      {"a title in single quotes", "a.md", "---\ntitle: 'x'\n---\n甲\n", "甲\n", "x"},
      {"a title over lines", "a.md", "---\ntitle: >\n  x\n---\n甲\n", "甲\n", "a"},
      {"a title in JSON", "a.md", "{\n\"title\": \"x\"\n}\n甲\n", "甲\n", "x"},
      {"no heading in code", "a.md", "```\n# 甲\n```\n", "# 甲\n", "a"},
      {"headings of HTML", "a.html",
       "<title>书 &amp; 页</title><h1>甲</h1><p>一。</p><h3>乙 <b>丙</b></h3>二。<h2></h2><h2 hidden>丁</h2>",
       "# 甲\n一。\n### 乙 丙\n二。\n", "书 & 页"},
      {"a table of HTML", "a.htm", "<table><tr><th>甲<th>乙<tr><td>1<td>2</table>", "| 甲\t乙\n| 1\t2\n", "a"},
      {"a page with the name of a text", "a.txt", "<!DOCTYPE html><h2>甲</h2><p>第三章 海</p>", "## 甲\n第三章 海\n",
       "甲"},
      {"an item before a heading", "a.html", "<ul><li>甲</ul><h4>乙</h4>", "- 甲\n#### 乙\n", "乙"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    const Document document = read_bytes(c.text, c.name);
    // A line of code begins with # and is not a heading: `outline` shows headings alike.
    CHECK(outline(document) == c.outline);
    CHECK(document.title == c.title);
    check_properties(document);
    const Document chinese = read_bytes(encode(c.text, "GBK"), c.name);
    CHECK(outline(chinese) == c.outline);
  }
  CHECK(read_bytes("```\n# 甲\n```\n", "a.md").paragraphs.at(0).kind == Paragraph::Kind::text);
}

}  // namespace tinyllm::test
