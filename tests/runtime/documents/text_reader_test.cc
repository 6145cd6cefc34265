#include <doctest/doctest.h>

#include <string>

#include "error_of.h"
#include "runtime/documents/encode.h"
#include "runtime/documents/read_document.h"

namespace tinyllm::test {

TEST_CASE("a line of plain text is a paragraph, and lines that were broken at a width are joined") {
  const struct {
    std::string_view what;
    std::string text;
    std::string outline;
  } cases[] = {
      {"lines", "山高。\n水长。\n", "山高。\n水长。\n"},
      {"blank lines and line ends of all kinds", "\r\n一。\r\n\r\n \n二。\r三。", "一。\n二。\n三。\n"},
      {"indented", "　　一。\n　　二。\n", "一。\n二。\n"},
      {"broken at a width, in English",
       "The bridge was built in the year of the great\nflood, and it has stood there for more than two\nhundred "
       "years.\n\nNew.\n",
       "The bridge was built in the year of the great flood, and it has stood there for more than two hundred years.\n"
       "New.\n"},
      {"broken at a width, in Chinese",
       "河边的柳树已经发芽了，早上孩子们背着书包\n去学校，老人坐在桥头，一边晒太阳，一边说\n起从前的事情。\n",
       "河边的柳树已经发芽了，早上孩子们背着书包去学校，老人坐在桥头，一边晒太阳，一边说起从前的事情。\n"},
      {"a list of the same width",
       "- the first of all the items in this list of things\n- the second of all the items in this list of thing\n",
       "- the first of all the items in this list of things\n- the second of all the items in this list of thing\n"},
      {"a poem", "床前明月光\n疑是地上霜\n", "床前明月光\n疑是地上霜\n"},
      {"chapters", "第一部\n第三章 海\n鱼。\n第2节：网\n第三章是海。\n",
       "# 第一部\n## 第三章 海\n鱼。\n### 第2节：网\n第三章是海。\n"},
      {"a chapter in English", "Chapter 3\nFish.\n", "## Chapter 3\nFish.\n"},
      {"a sentence about a chapter", "第三章里说过\n第一次\n", "第三章里说过\n第一次\n"},
      {"what nobody sees", "\xEF\xBB\xBF一\x01二\u200B。", "一二。\n"},
      {"rows of a table", "甲\t乙\n1\t2\n\tindented\n", "| 甲\t乙\n| 1\t2\nindented\n"},
      {"only blanks", " \n\u3000\n", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    const Document document = read_bytes(c.text, "file.txt");
    CHECK(outline(document) == c.outline);
    check_properties(document);
  }
}

TEST_CASE("each byte of a text in UTF-8 is at its place in the file") {
  const std::string file = "\xEF\xBB\xBF  一。\r\n\r\n二\u200B三。\n" + std::string("four\x01 five");
  const Document document = read_bytes(file, "file.txt");
  CHECK(outline(document) == "一。\n二三。\nfour five\n");
  for (const Paragraph& p : document.paragraphs) {
    for (size_t at = p.offset; at < p.offset + p.length; ++at) {
      CAPTURE(at);
      const int64_t source = place_at(document, at).source;
      REQUIRE(source >= 0);
      CHECK(file.at(static_cast<size_t>(source)) == document.text[at]);
    }
  }
}

TEST_CASE("a text is read in the encoding that it is in") {
  const std::string text = "河边的柳树已经发芽了。早上孩子们背着书包去学校，老人坐在桥头晒太阳。";
  for (const char* encoding : {"UTF-8", "GBK", "UTF-16", "GB18030"}) {
    CAPTURE(encoding);
    CHECK(outline(read_bytes(encode(text, encoding), "file.txt")) == text + "\n");
  }
  CHECK(place_at(read_bytes(encode(text, "GBK"), "file.txt"), 0).source == -1);
}

TEST_CASE("the title of a document is its first heading, else its name") {
  CHECK(read_bytes("第三章 海\n鱼。", "file.txt").title == "第三章 海");
  CHECK(read_bytes("鱼。", "海.v2.txt").title == "海.v2");
}

TEST_CASE("the error of a file that cannot be read names it and the reason") {
  const TempFolder folder;
  const std::string missing = error_of([&] { read_document(folder / "missing.txt"); });
  CHECK(missing.find("missing.txt") != std::string::npos);
  CHECK(error_of([] { read_bytes("", "empty.txt"); }).ends_with("empty.txt: is empty"));
  const std::string named = error_of([] { read_bytes("just text", "report.pdf"); });
  CHECK(named.ends_with("report.pdf: is not the .pdf file that its name says: it is damaged, or in another format"));
  CHECK(error_of([] {
          read_bytes("{\\rtf1 text}", "report.doc");
        }).ends_with("is RTF, which is not read: save it as .docx"));
  CHECK(error_of([&] { read_document(folder.path()); }) != "no error");
  const std::string binary = error_of([] { read_bytes(std::string(1000, '\x03'), "image.txt"); });
  CHECK(binary.find("image.txt: is not text in an encoding that is known") != std::string::npos);
  const std::string large =
      error_of([] { read_bytes(std::string(3 << 20, 'a'), "large.txt", {.text_bytes = 2 << 20}); });
  CHECK(large.find("large.txt: has 3 MB of text, expected at most 2") != std::string::npos);
  const std::string file =
      error_of([] { read_bytes(std::string(3 << 20, 'a'), "large.txt", {.file_bytes = 2 << 20}); });
  CHECK(file.find("large.txt: has 3 MB, expected at most 2") != std::string::npos);
}

}  // namespace tinyllm::test
