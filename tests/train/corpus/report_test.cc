#include <doctest/doctest.h>

#include <tinyllm/train/corpus/report.h>

#include <string>
#include <vector>

namespace tinyllm::test {

using namespace corpus;
namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("all that a rule drops is counted, and the first three pieces are shown") {
  Report report;
  for (const char* source : {"a", "b", "c", "d"}) report.drop("too_short", "short", source);
  report.drop("language", "longer", "e");
  const Report::Rule& rule = report.rules.at("too_short");
  CHECK(rule.pieces == 4);
  CHECK(rule.bytes == 20);
  REQUIRE(rule.samples.size() == 3);
  CHECK(rule.samples[0].source == "a");
  CHECK(rule.samples[2].source == "c");
  CHECK(report.rules.at("language").pieces == 1);
}

TEST_CASE("samples are shortened between two characters, and their whole size is counted") {
  for (size_t begin = 0; begin < 4; ++begin) {
    std::string text(begin, 'a');
    while (text.size() < 1000) text += "茶";
    Report report;
    report.drop("too_long", text, "a.txt:1");
    report.drop("file_binary", "no text", "b.bin", 1 << 20);
    const std::string& sample = report.rules.at("too_long").samples[0].text;
    CHECK(sample.size() < 500);
    CHECK(sample.ends_with("茶…"));
    CHECK(report.rules.at("too_long").bytes == static_cast<int64_t>(text.size()));
    CHECK(report.rules.at("file_binary").bytes == 1 << 20);
  }
}

TEST_CASE("hostile samples and names stay text") {
  const std::string hostile =
      std::string("</pre><script>alert('1')</script>\" & \x01\x1B[31m") + '\0' + "\xFF茶\xE8\x8C";
  Report report;
  report.drop("<b>rule</b>", hostile, "<i>\xFE\"'.txt");
  report.encodings["<u>"] = {};
  const std::string page = report.to_html();
  for (const char* markup : {"<script", "<b>rule", "<i>\xEF\xBF\xBD", "<u>", "\x1B", "\x01", "\xFF", "\xFE"}) {
    CAPTURE(markup);
    CHECK_FALSE(has(page, markup));
  }
  CHECK(page.find('\0') == std::string::npos);
  CHECK(has(page,
            "&lt;/pre&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; &amp; "
            "&#9217;&#9243;[31m&#9216;\uFFFD茶\uFFFD<"));
  CHECK(has(report.to_json(), R"("text": "</pre><script>alert('1')</script>\" & \u0001\u001b[31m\u0000)"
                              "\uFFFD茶\uFFFD\""));
}

TEST_CASE("the page is one file that loads nothing, shows totals, and works with nothing in it") {
  Report report;
  report.read = {3, 20, 1234567, 5400000000};
  report.kept = {2, 10, 1000000, 2700000000};
  report.drop("near_duplicate", "text", "a.txt:3", 1350000000);
  report.changed["bytes of <markup>"] = 76543;
  const std::string page = report.to_html();
  for (const char* part : {"5.4 GB", "2.7 GB", "50.0 %", "1,234,567", "near duplicate", "1.4 GB", "25.0 %", "a.txt:3",
                           "bytes of &lt;markup&gt;", "76,543"}) {
    CAPTURE(part);
    CHECK(has(page, part));
  }
  for (const char* outside : {"<script", "stylesheet", "src=", "://", "url(", "@import"}) {
    CAPTURE(outside);
    CHECK_FALSE(has(page, outside));
  }
  CHECK(Report().to_html().ends_with("</html>\n"));
  CHECK(has(Report().to_json(), R"("rules": {})"));
}

}  // namespace tinyllm::test
