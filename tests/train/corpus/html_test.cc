#include <doctest/doctest.h>

#include <tinyllm/train/corpus/html.h>

#include "train/corpus/text_cases.h"

namespace tinyllm::test {

TEST_CASE("the readable text of a page is kept, a paragraph a line") {
  const std::vector<TextCase> cases = {
      {"plain text", "no markup at all", "no markup at all\n"},
      {"nothing", "", ""},
      {"blocks", "<h1>Tea</h1><p>Boil <b>water</b>,<i> wait</i>.<div>Pour.</div>Drink.",
       "Tea\nBoil water, wait.\nPour.\nDrink.\n"},
      {"blanks and line feeds", "<p>  one \n\t two&nbsp;three  </p>\n\n<p>four</p>", "one two three\nfour\n"},
      {"a line feed within Chinese", "<p>先烧水，\n  再泡茶。\n喝 tea\n吧", "先烧水，再泡茶。喝 tea 吧\n"},
      {"br", "one<br>two<br/>three", "one\ntwo\nthree\n"},
      {"lists", "<ul><li>green<li>black<ol><li>old</ol></ul>", "- green\n- black\n- old\n"},
      {"lists with blocks in them", "<ul><li><p>green</p><p>tea</p><li> <img> <li><ul><li>old</ul></ul>",
       "- green\ntea\n- old\n"},
      {"a table", "<table><tr><th>tea<th>price</tr><tr><td>green<td>3</table>", "tea\tprice\ngreen\t3\n"},
      {"pre", "<pre>\nfor x:\n    pour(x)\n</pre>done", "for x:\n    pour(x)\ndone\n"},
      {"entities", "<p>1 &lt; 2 &amp;&amp; caf&eacute; &#20013;&#x6587;&hellip; &nothing; &",
       "1 < 2 && café 中文… &nothing; &\n"},
      {"signs that are no markup", "<p>a < b, 3 > 2, x<=y, i<3, <", "a < b, 3 > 2, x<=y, i<3, <\n"},
      {"links", "<p>see <a href='x>y'>the list</a>.", "see the list.\n"},
      {"an encoding that is no longer true", "<meta charset=gbk><p>茶", "茶\n"},
      {"the text of a form around the page", "<form><p>Tea</p><input value=a><button>Send</button></form>", "Tea\n"},
      {"the heading of an article", "<header>Site</header><article><header><h1>Tea</h1></header>Boil.</article>",
       "Tea\nBoil.\n"},
  };
  check_cases(html_text, cases);
}

TEST_CASE("what is no text for readers is left out") {
  for (const std::string_view part : {
           "<script>if (a<b) document.write('<p>gone</p>')</script>",
           "<style>p { gone: 1 }</style>",
           "<!-- gone <p>gone</p> -->",
           "<nav><ul><li>gone</ul></nav>",
           "<aside><p>gone</aside>",
           "<footer><div><p>gone</div></footer>",
           "<noscript>gone</noscript>",
           "<select><option>gone<option>gone</select>",
           "<textarea>gone</textarea>",
           "<svg><title>gone</title><text>gone</text></svg>",
           "<video>gone</video>",
           "<p hidden>gone</p>",
           "<div aria-hidden=true>gone<div>gone</div></div>",
           "<div role=navigation>gone</div>",
           "<img alt=gone src=gone>",
       }) {
    CAPTURE(part);
    const std::string inside(part);
    CHECK(html_text("<html><head><title>gone</title></head><body><p>before</p>" + inside + "<p>after</p></body>") ==
          "before\nafter\n");
  }
}

TEST_CASE("broken pages give what can be read") {
  const std::vector<TextCase> cases = {
      {"cut within a tag", "<p>tea</p><a href=", "tea\n"},
      {"cut within a comment", "<p>tea</p><!-- and", "tea\n"},
      {"cut within a script", "<p>tea</p><script>and", "tea\n"},
      {"the end of a page only", "ink.</p></div></body></html>", "ink.\n"},
      {"closed in a wrong order", "<b><i>tea</b></i> is <p></b>good", "tea is\ngood\n"},
      {"text after the end", "<html><body>tea</body></html>time", "tea\ntime\n"},
      {"NUL", std::string("<p>t\0ea</p>ti\0me", 16), "tea\ntime\n"},
  };
  check_cases(html_text, cases);
}

TEST_CASE("a page of a hundred thousand elements in one another is read to its end") {
  constexpr int kMany = 100000;
  CHECK(html_text(repeat("<div>x", kMany)) == repeat("x\n", kMany));
  CHECK(html_text(repeat("<div>x", kMany) + repeat("</p>", kMany) + "end").ends_with("end\n"));
  CHECK(html_text(repeat("<i>", kMany) + "end").ends_with("end\n"));
}

}  // namespace tinyllm::test
