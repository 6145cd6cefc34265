#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/html_sniff.h>

#include "runtime/documents/text_cases.h"

namespace tinyllm::test {

using namespace documents;
namespace {

const std::string kPage = "<div class=\"main\">\n<h1>Tea</h1>\n" +
                          repeat("<p>Green tea is made of leaves that are not withered.</p>\n", 10) + "</div>\n";
const std::string kStyle = ".main { color: #333; margin: 0 auto; }\n.main a:hover { color: red; }\n";

}  // namespace

TEST_CASE("a page is found also without its beginning and its end") {
  CHECK(looks_like_html(kPage));
  CHECK(looks_like_html("ass=\"a\">Tea</a>" + kPage));
  CHECK(looks_like_html(kStyle + "</style>\n</head>\n<body>\n" + kPage.substr(0, 400)));
  CHECK(looks_like_html(repeat("f(a){return b(a,{c:1});}", 500) + "</script>\n<ul><li>a</li></ul><script>var x = {"));
  CHECK(begins_as_html("\xEF\xBB\xBF\n <!DocType HTML>"));
  CHECK(begins_as_html("<html lang=en>"));
}

TEST_CASE("a text about HTML is not a page") {
  const std::string prose = "A page has a head and a body, and in these the elements that a browser shows.\n";
  CHECK_FALSE(
      looks_like_html(repeat("A paragraph begins with <p> and ends with </p>; a list has <ul> and <li>.\n", 20)));
  CHECK_FALSE(looks_like_html(repeat(prose, 20) + "<ul>\n<li>tea</li>\n</ul>\n" + repeat(prose, 20)));
  CHECK_FALSE(looks_like_html(repeat(prose, 5) + "Scripts end with </script> and styles with </style>.\n"));
  CHECK_FALSE(looks_like_html(repeat("std::vector<int> a; if (a < b && c > d) { map<string, list<int>> m; }\n", 50)));
  CHECK_FALSE(looks_like_html(repeat("<dict><key>tea</key><string>green</string></dict>\n", 50)));
  CHECK_FALSE(looks_like_html(""));
}

TEST_CASE("the rest of a script, of a style or of a tag is left out at the beginning alone") {
  CHECK(without_cut_beginning(kStyle + "</style><p>Tea</p>") == "</style><p>Tea</p>");
  CHECK(without_cut_beginning("b({c:1});</script><p>Tea</p>") == "</script><p>Tea</p>");
  CHECK(without_cut_beginning("ref=\"a\" class=\"b\">Tea</a>") == "Tea</a>");
  CHECK(without_cut_beginning("iv>Tea") == "Tea");
  for (const char* page : {"<p>a</p></script>", "Tea and water <b>hot</b></style>", "Tea &gt; water <p>",
                           "Tea is a > b", "<script>a</script>", ""}) {
    CHECK(without_cut_beginning(page) == page);
  }
}

TEST_CASE("tags that do not end take time in proportion to the text") {
  for (const char* part : {"<", "<p", "<p ", "<!--", "<script>", "</script", "<style>\n", "</p>", "a=\""}) {
    CAPTURE(part);
    const std::string text = repeat(part, 200000);
    looks_like_html(text);
    CHECK(without_cut_beginning(text).size() <= text.size());
  }
}

}  // namespace tinyllm::test
