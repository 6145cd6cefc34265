#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/docx_numbering.h>

#include <string>

#include "error_of.h"
#include "runtime/documents/make_docx.h"
#include "runtime/documents/read_document.h"
#include "runtime/documents/text_cases.h"

namespace tinyllm::test {
namespace {

std::string docx_outline(std::string_view body, const Files& parts = {}) {
  const Document document = read_bytes(make_docx(body, parts), "file.docx");
  CHECK(document.format == DocumentFormat::docx);
  check_properties(document);
  return outline(document);
}

std::string style(std::string_view id, std::string_view name, std::string_view more = "") {
  return std::string("<w:style w:type=\"paragraph\" w:styleId=\"") + std::string(id) + "\"><w:name w:val=\"" +
         std::string(name) + "\"/>" + std::string(more) + "</w:style>";
}

std::string level(int number, std::string_view format, std::string_view text, std::string_view more = "") {
  return fmt::format(
      "<w:lvl w:ilvl=\"{}\"><w:start w:val=\"1\"/><w:numFmt w:val=\"{}\"/><w:lvlText w:val=\"{}\"/>{}</w:lvl>", number,
      format, text, more);
}

std::string item(std::string_view text, int list, int depth) {
  return word_paragraph(text,
                        fmt::format("<w:numPr><w:ilvl w:val=\"{}\"/><w:numId w:val=\"{}\"/></w:numPr>", depth, list));
}

}  // namespace

TEST_CASE("the body of a DOCX file is read in order: paragraphs, tables by rows, paragraphs") {
  const auto cell = [](std::string_view text) { return "<w:tc>" + word_paragraph(text) + "</w:tc>"; };
  CHECK(docx_outline(word_paragraph("山高。") + "<w:tbl><w:tr>" + cell("甲") + cell("乙") + "</w:tr><w:tr>" +
                     cell("1") + "<w:tc>" + word_paragraph("2") + word_paragraph("3") + "</w:tc></w:tr></w:tbl>" +
                     word_paragraph("水长。")) == "山高。\n| 甲\t乙\n| 1\t2 3\n水长。\n");
  CHECK(docx_outline("<w:tbl><w:tr>" + cell("甲") + "<w:tc><w:tbl><w:tr>" + cell("里") + cell("面") +
                     "</w:tr></w:tbl>" + word_paragraph("") + "</w:tc></w:tr></w:tbl>") == "| 甲\t里 面\n");
}

TEST_CASE("insertions are in, deletions and hidden text and what is kept for older programs are out") {
  CHECK(docx_outline(
            "<w:p><w:r><w:t>甲</w:t></w:r><w:ins><w:r><w:t>乙</w:t></w:r></w:ins><w:del><w:r><w:delText>丙</w:delText>"
            "</w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>丁</w:t></w:r><w:r><w:t>戊</w:t></w:r></w:p>") ==
        "甲乙戊\n");
  CHECK(
      docx_outline("<w:p><w:moveFrom><w:r><w:t>甲</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>乙</w:t></w:r></w:moveTo>"
                   "</w:p>") == "乙\n");
  CHECK(docx_outline("<w:p><w:pPr><w:tabs><w:tab/></w:tabs><w:rPr><w:vanish/></w:rPr></w:pPr><w:r><w:t>甲</w:t><w:tab/>"
                     "<w:t>乙</w:t><w:br/><w:t>丙</w:t></w:r></w:p>") == "甲 乙\n丙\n");
}

TEST_CASE("notes name the parts of a DOCX file that have words and are left out") {
  const auto notes_of = [](std::string_view body, const Files& parts) {
    return read_bytes(make_docx(body, parts), "file.docx").notes;
  };
  const std::string words = word_paragraph("机密"), symbol = "<w:p><w:r><w:sym w:font=\"Wingdings\"/></w:r></w:p>";
  CHECK(notes_of(words, {{"word/header1.xml", word_part("hdr", word_paragraph(" "))}}).empty());
  CHECK(notes_of(words + symbol, {{"word/header2.xml", word_part("hdr", words)},
                                  {"word/footer1.xml", word_part("ftr", words)},
                                  {"word/comments.xml", word_part("comments", words)}}) ==
        std::vector<std::string>{"the text of its headers was left out", "the text of its footers was left out",
                                 "the text of its comments was left out", "signs of symbol fonts were left out: 1"});
}

TEST_CASE("a text box comes after its paragraph, once") {
  const std::string box = "<w:txbxContent>" + word_paragraph("框") + "</w:txbxContent>";
  CHECK(docx_outline("<w:p><w:r><w:t>甲</w:t></w:r><w:r><mc:AlternateContent xmlns:mc=\"m\"><mc:Choice>" + box +
                     "</mc:Choice><mc:Fallback>" + box +
                     "</mc:Fallback></mc:AlternateContent></w:r><w:r><w:t>乙</w:t></w:r>"
                     "</w:p>") == "甲乙\n框\n");
}

TEST_CASE("headings follow from styles, through what they are based on, and from outline levels") {
  const std::string styles = word_part(
      "styles", style("1", "heading 1") + style("2a", "Heading 2") + style("x", "own", "<w:basedOn w:val=\"2a\"/>") +
                    style("o", "other", "<w:pPr><w:outlineLvl w:val=\"2\"/></w:pPr>") + style("t", "Title") +
                    style("c1", "one", "<w:basedOn w:val=\"c2\"/>") + style("c2", "two", "<w:basedOn w:val=\"c1\"/>"));
  const std::string body =
      word_paragraph("书", "<w:pStyle w:val=\"t\"/>") + word_paragraph("一", "<w:pStyle w:val=\"1\"/>") +
      word_paragraph("二", "<w:pStyle w:val=\"x\"/>") + word_paragraph("三", "<w:pStyle w:val=\"o\"/>") +
      word_paragraph("四", "<w:outlineLvl w:val=\"3\"/>") + word_paragraph("五", "<w:pStyle w:val=\"c1\"/>") +
      word_paragraph("六", "<w:pStyle w:val=\"missing\"/>");
  const Document document = read_bytes(make_docx(body, {{"word/styles.xml", styles}}), "file.docx");
  CHECK(outline(document) == "# 书\n# 一\n## 二\n### 三\n#### 四\n五\n六\n");
  CHECK(document.title == "书");
  CHECK(chunks_of(document).back().headings == std::vector<std::string>{"一", "二", "三", "四"});
}

TEST_CASE("headings and items have the numbers that Word shows") {
  const std::string numbering = word_part(
      "numbering",
      "<w:abstractNum w:abstractNumId=\"0\">" + level(0, "chineseCounting", "第%1章") +
          level(1, "decimal", "%1.%2", "<w:isLgl/>") + level(2, "lowerLetter", "%3)") + "</w:abstractNum>" +
          "<w:abstractNum w:abstractNumId=\"1\">" + level(0, "bullet", "\xEF\x82\xB7") + level(1, "none", "") +
          "</w:abstractNum><w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num>"
          "<w:num w:numId=\"2\"><w:abstractNumId w:val=\"1\"/></w:num><w:num w:numId=\"3\"><w:abstractNumId "
          "w:val=\"0\"/><w:lvlOverride w:ilvl=\"0\"><w:startOverride w:val=\"7\"/></w:lvlOverride></w:num>");
  CHECK(docx_outline(item("甲", 1, 0) + item("乙", 1, 1) + item("丙", 1, 1) + item("丁", 1, 2) + item("戊", 1, 0) +
                         item("己", 1, 1) + item("点", 2, 0) + item("无", 2, 1) + item("庚", 3, 0) + item("辛", 3, 0) +
                         item("不", 9, 0),
                     {{"word/numbering.xml", numbering}}) ==
        "第一章 甲\n1.1 乙\n1.2 丙\na) 丁\n第二章 戊\n2.1 己\n- 点\n无\n第七章 庚\n第八章 辛\n不\n");
}

TEST_CASE("numbers are written in the formats of Word") {
  const struct {
    int number;
    std::string_view format;
    std::string_view text;
  } cases[] = {{3, "decimal", "3"},
               {3, "decimalZero", "03"},
               {14, "upperRoman", "XIV"},
               {9, "lowerRoman", "ix"},
               {27, "lowerLetter", "aa"},
               {26, "upperLetter", "Z"},
               {10, "chineseCounting", "十"},
               {12, "chineseCountingThousand", "十二"},
               {20, "chineseCounting", "二十"},
               {101, "chineseCounting", "一百零一"},
               {110, "chineseCounting", "一百一十"},
               {1005, "japaneseCounting", "一千零五"},
               {2, "ideographTraditional", "乙"},
               {3, "decimalEnclosedCircle", "③"},
               {5, "unknown", "5"},
               {0, "upperRoman", "0"},
               {1000000, "lowerLetter", "1000000"}};
  for (const auto& c : cases) {
    CAPTURE(c.format);
    CHECK(documents::format_number(c.number, c.format) == c.text);
  }
}

TEST_CASE("a footnote stands in brackets where its mark is") {
  const std::string notes = word_part(
      "footnotes", "<w:footnote w:id=\"2\">" + word_paragraph("在海平面") + word_paragraph("测得") + "</w:footnote>");
  CHECK(docx_outline("<w:p><w:r><w:t>水在一百度沸腾</w:t></w:r><w:r><w:footnoteReference w:id=\"2\"/></w:r><w:r><w:t>。"
                     "</w:t></w:r><w:r><w:footnoteReference w:id=\"7\"/></w:r></w:p>",
                     {{"word/footnotes.xml", notes}}) == "水在一百度沸腾[在海平面 测得]。\n");
}

TEST_CASE("names of any encoding in the archive do no harm") {
  CHECK(docx_outline(word_paragraph("甲"), {{"word/media/\xCD\xBC\xC6\xAC.png", "x"}}) == "甲\n");
}

TEST_CASE("archives that are damaged, too large, or no documents are refused by name") {
  const auto error = [](const std::string& bytes) {
    const std::string message = error_of([&] { read_bytes(bytes, "bad.docx"); });
    return message.substr(std::min(message.find("bad.docx: "), message.size()));
  };
  const auto starts = [](const std::string& text, std::string_view front) {
    CAPTURE(text);
    CAPTURE(front);
    CHECK(text.starts_with(front));
  };
  starts(error(make_docx("", {{"word/styles.xml", std::string(20 << 20, ' ')}})),
         "bad.docx: its archive expands more than 100 times, which is the limit");
  Files many;
  for (int i = 0; i < 10001; ++i) many.emplace_back(fmt::format("{}.png", i), "");
  starts(error(make_zip(many)), "bad.docx: its archive has more than 10000 entries, which is the limit");
  starts(error(make_zip({{"mimetype", "application/epub+zip"}})),
         "bad.docx: is an archive without a document of Word in it (word/document.xml)");
  const std::string good = make_docx(word_paragraph("甲"));
  starts(error(good.substr(0, good.size() / 2)), "bad.docx: its archive is cut: the list at its end is missing");
  std::string broken = good;
  for (size_t at = broken.find("word/document.xml") + 40, end = at + 60; at < end; ++at) broken[at] = '\x55';
  starts(error(broken), "bad.docx: its archive is damaged or encrypted: ");
  starts(error(make_docx("<w:p>")), "bad.docx: its XML is damaged: line 1: ");
  starts(error(make_zip({{"word/document.xml", "<!DOCTYPE w [<!ENTITY a \"b\">]><w>&a;</w>"}})),
         "bad.docx: its XML has a document type, which is not allowed");
  starts(error(make_docx(repeat("<w:p>", 300) + repeat("</w:p>", 300))),
         "bad.docx: its XML is more than 256 elements deep, which is the limit");
  starts(
      error("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + std::string("E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0", 32)),
      "bad.docx: is encrypted: a password is needed to read it");
}

TEST_CASE("notes that are long and come again and again are refused") {
  const std::string notes =
      word_part("footnotes", "<w:footnote w:id=\"2\">" + word_paragraph(std::string(1 << 20, 'a')) + "</w:footnote>");
  const std::string body = "<w:p>" + repeat("<w:r><w:footnoteReference w:id=\"2\"/></w:r>", 100) + "</w:p>";
  // Stored letters that do not shrink: the archive is large enough for its ratio.
  std::string noise;
  for (uint32_t i = 0, x = 1; i < 100000; ++i, x = x * 1664525 + 1013904223) noise += static_cast<char>(x >> 24);
  const std::string message = error_of([&] {
    read_bytes(make_docx(body, {{"word/footnotes.xml", notes}, {"noise.png", noise}}), "file.docx");
  });
  CHECK(message.find("its footnotes and numbers make more than 64 MB") != std::string::npos);
}

}  // namespace tinyllm::test
