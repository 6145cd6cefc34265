#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/child_process.h>

#include <string>

#include "error_of.h"
#include "runtime/documents/make_doc.h"
#include "runtime/documents/read_document.h"

namespace tinyllm::test {
namespace {

std::string doc_error(const std::string& bytes) {
  const std::string message = error_of([&] { read_bytes(bytes, "bad.doc"); });
  return message.substr(std::min(message.find("bad.doc: "), message.size()));
}

bool has_catdoc() {
  if (!documents::find_program("catdoc").empty()) return true;
  MESSAGE("catdoc is not installed: skipped");
  return false;
}

}  // namespace

TEST_CASE("a file of Word 97 is read: paragraphs, chapters and rows of tables") {
  if (!has_catdoc()) return;
  const Document document =
      read_bytes(make_doc("第三章 海\r河边的柳树已经发芽了。老人坐在桥头。\r甲\x07乙\x07\x07丙\x07丁\x07\x07完了。\r"),
                 "file.doc");
  CHECK(document.format == DocumentFormat::doc);
  CHECK(outline(document) == "## 第三章 海\n河边的柳树已经发芽了。老人坐在桥头。\n| 甲\t乙\n| 丙\t丁\n完了。\n");
  CHECK(document.title == "第三章 海");
  check_properties(document);
}

TEST_CASE("a DOC file that is encrypted, damaged, unreadable or of another program says so") {
  CHECK(doc_error(std::string("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") + std::string(600, 'x')) ==
        "bad.doc: is a file of Office without a document of Word in it");
  if (!has_catdoc()) return;
  CHECK(doc_error(make_doc("山高。\r", true)) == "bad.doc: is encrypted: a password is needed to read it");
  CHECK(doc_error(make_doc("山高。\r").substr(0, 2000)).starts_with("bad.doc: "));
  // Letters that were read as halves of Chinese characters.
  CHECK(doc_error(make_doc("敔瑳琠硥⁴慨晬椠獮摩⁥潦⁲牴湡晳牥慲汢\r")) ==
        "bad.doc: catdoc makes no readable text of it; save it as .docx");
}

}  // namespace tinyllm::test
