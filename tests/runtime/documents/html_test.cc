#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/html.h>
#include <tinyllm/runtime/documents/html_filter.h>

#include <gumbo.h>

#include <algorithm>

#include "runtime/documents/text_cases.h"

namespace tinyllm::test {

using namespace documents;
namespace {

int depth_of(const GumboNode* node) {
  if (node->type != GUMBO_NODE_ELEMENT && node->type != GUMBO_NODE_TEMPLATE) return 0;
  int depth = 0;
  for (unsigned i = 0; i < node->v.element.children.length; ++i) {
    depth = std::max(depth, depth_of(static_cast<const GumboNode*>(node->v.element.children.data[i])));
  }
  return depth + 1;
}

// How many elements are nested in one another where the parser nests the most.
int depth_of(const std::string& page) {
  GumboOptions options = kGumboDefaultOptions;
  options.max_errors = 0;
  GumboOutput* output = gumbo_parse_with_options(&options, page.data(), page.size());
  const int depth = depth_of(output->root);
  gumbo_destroy_output(&options, output);
  return depth;
}

}  // namespace

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
      {"cells with paragraphs",
       "<table><tr><td><p>Verb</p></td><td><p>Use</p></td></tr><tr><td><div>GET</div><td>reads<br>a <p>thing</table>",
       "Verb\tUse\nGET\treads a thing\n"},
      {"cells with code or a heading are no data", "<table><tr><td><pre>a\n  b</pre><td><h2>C</h2>d<td>e</table>",
       "a\n  b\nC\nd\ne\n"},
      {"cells that lay out the page", "<table><tr><td>a<td><p>b<p>c<p>d<p>e</table>", "a\nb\nc\nd\ne\n"},
      {"a single cell", "<table><tr><td><p>a<p>b</table>", "a\nb\n"},
      {"tables within tables", "<table><tr><td>a<table><tr><td>b<td>c</table>d<td>e</table>", "a\nb\tc\nd\ne\n"},
      {"text within a table but no cell", "<table>a<tr>b<td>c</table>", "ab\nc\n"},
      {"pre", "<pre>\nfor x:\n    pour(x)\n</pre>done", "for x:\n    pour(x)\ndone\n"},
      {"entities", "<p>1 &lt; 2 &amp;&amp; caf&eacute; &#20013;&#x6587;&hellip; &nothing; &",
       "1 < 2 && café 中文… ¬hing; &\n"},
      {"signs that are no markup", "<p>a < b, 3 > 2, x<=y, i<3, <", "a < b, 3 > 2, x<=y, i<3, <\n"},
      {"links", "<p>see <a href='x>y'>the list</a>.", "see the list.\n"},
      {"an encoding that is no longer true", "<meta charset=gbk><p>茶", "茶\n"},
      {"the text of a form around the page", "<form><p>Tea</p><input value=a><button>Send</button></form>", "Tea\n"},
      {"text before the body", "<!doctype html><title>gone</title><main><h1>Tea</h1><p>Boil.<p>Pour.</main>",
       "Tea\nBoil.\nPour.\n"},
      {"elements that no one knows", "<tea-pot><p>Tea</p><new>is</new> <b>good</b></tea-pot>", "Tea\nis good\n"},
      {"entities of HTML 5", "<p>&lpar;a&rpar; &comma; x &le; y &apos;b&apos; &check; &nvle;",
       "(a) , x ≤ y 'b' ✓ \u2264\u20D2\n"},
      {"entities without an end", "<p>AT&ampT &copy 2020 &notit; R&D &lt&gt", "AT&T © 2020 ¬it; R&D <>\n"},
      {"numbers of windows-1252", "<p>3 &#150; &#x92;a&#x92; &#128;", "3 – ’a’ €\n"},
      {"an entity is not made of two texts", "<p>&<b>lt;</b> &l<!-- -->t; &am<i>p</i>;", "&lt; &lt; &amp;\n"},
      {"a tag is not made of two texts", "<p>a <<b>p> b", "a <p> b\n"},
      {"the annotation of a formula",
       "<p>so <math><mi>x</mi><mo>=</mo><mn>1</mn><annotation encoding=tex>gone</annotation></math>.", "so x=1.\n"},
      {"marks that allow a break", "<p>tea<wbr>pot", "teapot\n"},
      {"verbatim", "<xmp>a <b> &lt;\n  b</xmp><p>c<plaintext><p>d&lt;", "a <b> &lt;\n  b\nc\n<p>d&lt;\n"},
      {"a script within a comment within a script",
       "<script><!-- write('<script src=x></script>') //--> gone</script>tea<script><!-- <scripts> </script>pot",
       "teapot\n"},
      {"a menu without an end", "<table><tr><td><select><option>x<td>a<td><select>x<select>b<select>x<input>c</table>",
       "a\tbc\n"},
      {"CDATA outside of SVG", "<p>a<![CDATA[gone]]>b", "ab\n"},
      {"the heading of an article", "<header>Site</header><article><header><h1>Tea</h1></header>Boil.</article>",
       "Tea\nBoil.\n"},
  };
  check_cases([](std::string_view page) { return html_text(page); }, cases);
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
           "<!--><!---><!-- gone --!><!gone><?gone ?></ gone>",
           "<div style='display: NONE'>gone<div>gone</div></div>",
           "<div style='color:red;display:block;display:none!important'>gone</div>",
           "<div style=visibility:hidden>gone</div>",
           "<div style=display:none style=display:block>gone</div>",
           "<template><p>gone</p></template>",
           "<object><div>gone</div></object>",
           "<iframe><p>gone</iframe>",
           "<title>gone<p></title>",
           "<math><annotation>gone</annotation></math>",
       }) {
    CAPTURE(part);
    const std::string inside(part);
    CHECK(html_text("<html><head><title>gone</title></head><body><p>before</p>" + inside + "<p>after</p></body>") ==
          "before\nafter\n");
  }
}

TEST_CASE("what is hidden ends where browsers end it") {
  const std::vector<TextCase> cases = {
      {"inline elements", "<p>a <span hidden>x <span>y</span> z</span>b <a style=display:none>x</a>c", "a b c\n"},
      {"the end of a block", "<div>a <span hidden>x</div>b", "a\nb\n"},
      {"the end of a paragraph", "<p>a <span hidden>x<p>b", "a\nb\n"},
      {"the next item", "<ul><li>a<span hidden>x<li>b</ul>", "- a\n- b\n"},
      {"the next cell", "<table><tr><td>a<span hidden>x<td>b</table>", "a\tb\n"},
      {"a hidden table", "<span hidden><table><tr><td>x<td>y</table>z</span>a", "a\n"},
      {"a hidden image", "<img hidden>a", "a\n"},
      {"a style that shows", "<p style='display:none;display:block'>a", "a\n"},
      {"the body", "<body style=display:none>a", "a\n"},
      {"a block within SVG", "<div><svg><path><p>a</p></div>b", "a\nb\n"},
      {"HTML within SVG", "<svg><title/><foreignobject><p>x</p></foreignobject><g>x</g></svg>a<svg/>b", "ab\n"},
  };
  check_cases([](std::string_view page) { return html_text(page); }, cases);
}

TEST_CASE("broken pages give what can be read") {
  const std::vector<TextCase> cases = {
      {"cut within a tag", "<p>tea</p><a href=", "tea\n"},
      {"cut within a comment", "<p>tea</p><!-- and", "tea\n"},
      {"cut within a script", "<p>tea</p><script>and", "tea\n"},
      {"the end of a page only", "ink.</p></div></body></html>", "ink.\n"},
      {"closed in a wrong order", "<b><i>tea</b></i> is <p></b>good", "tea is\ngood\n"},
      {"text after the end", "<html><body>tea</body></html>time", "tea\ntime\n"},
      {"a comment without an end", "tea<!-- and <p>time", "tea\n"},
      {"blocks that are not closed", "<ul><li><div>a</ul>b<div>c<section>d</div>e", "- a\nb\nc\nd\ne\n"},
      {"attributes without quotes", "<p class=a/b title=c'd>tea<p =x =\"<p>\" / y = z>time", "tea\ntime\n"},
      {"an end tag with attributes", "<p>tea</p a='>'>time", "tea\ntime\n"},
      {"NUL", std::string("<p>t\0ea</p>ti\0me", 16), "tea\ntime\n"},
  };
  check_cases([](std::string_view page) { return html_text(page); }, cases);
}

TEST_CASE("the parser, quadratic in depth and in attributes, gets pages that are neither deep nor rich in them") {
  // A table also has a body, a row and a cell; around all are the page, its body and a paragraph.
  constexpr int kDeepest = 4 * static_cast<int>(kDeepestElement) + 3;
  constexpr int kMany = 3000;
  for (const char* part : {"<div a b=1 c='2'>",
                           "<p a=1>",
                           "<li>",
                           "<i hidden>",
                           "<p><b hidden>",
                           "<a hidden><p>",
                           "<div><section></div>",
                           "<div><table><td></div>",
                           "<div><select></div>",
                           "<div><object></div>",
                           "<li><dd>",
                           "<dt></dd><li>",
                           "<li><ul></li>",
                           "<table><div></td>",
                           "<table><caption>",
                           "<table><td>",
                           "<object><table><td></object>",
                           "<template><td>",
                           "<template><object></template>",
                           "<button><p>",
                           "<option><p>",
                           "<h1></h2><h2>",
                           "<form>",
                           "<form><div></form>",
                           "<svg><td>",
                           "<math><p>",
                           "<select><p></select>",
                           "<ruby><rt>",
                           "<pre></xmp>"}) {
    CAPTURE(part);
    const std::string page = filter_html(repeat(part, kMany));
    for (size_t at = 0; (at = page.find('=', at)) != std::string::npos; ++at)
      REQUIRE(page.substr(at - 6, 6) == "<h1 id");
    CHECK(depth_of(page) <= kDeepest);
  }
  CHECK(filter_html("<p" + repeat(" hidden a", kMany) + ">") == "<p hidden>");
}

TEST_CASE("a page of a hundred thousand elements in one another is read to its end") {
  constexpr int kMany = 100000;
  CHECK(html_text(repeat("<div>x", kMany)) == repeat("x\n", kMany));
  CHECK(html_text(repeat("<div>x", kMany) + repeat("</p>", kMany) + "end").ends_with("end\n"));
  CHECK(html_text(repeat("<i>", kMany) + "end").ends_with("end\n"));
  CHECK(html_text(repeat("<div>", kMany) + "<p hidden>x</p><nav>y</nav>" + repeat("</div>", kMany) + "end") == "end\n");
}

}  // namespace tinyllm::test
