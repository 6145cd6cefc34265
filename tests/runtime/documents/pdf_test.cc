#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/bbox_layout.h>
#include <tinyllm/runtime/documents/child_process.h>
#include <tinyllm/runtime/documents/pdf_reader.h>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "error_of.h"
#include "runtime/documents/make_pdf.h"
#include "runtime/documents/read_document.h"

namespace tinyllm::test {
namespace {

using documents::ChildLimits;
using documents::run_child;

// Runs a shell command with /dev/null as its file.
documents::ChildResult run_shell(const std::string& command, const ChildLimits& limits = {}) {
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const struct Closed {
    int file;
    ~Closed() { close(file); }
  } closed{file};
  return run_child({"sh", "-c", command}, "dash", file, limits);
}

bool has_pdftotext() {
  if (!documents::find_program("pdftotext").empty()) return true;
  MESSAGE("pdftotext is not installed: skipped");
  return false;
}

// The text of a page as the program writes it, for tests that need none.
std::string layout_of(const std::vector<std::vector<PdfText>>& pages) {
  std::string xml = "<!DOCTYPE html PUBLIC \"a\" \"b\"><html><body><doc>";
  for (const auto& page : pages) {
    xml += "<page width=\"600\" height=\"800\"><flow>";
    for (const PdfText& line : page) {
      const std::string box = fmt::format("xMin=\"{}\" yMin=\"{}\" xMax=\"{}\" yMax=\"{}\"", line.x, line.y,
                                          line.x + line.size * count_of_characters(line.text), line.y + line.size);
      xml += fmt::format("<block {0}><line {0}><word {0}>{1}</word></line></block>", box, line.text);
    }
    xml += "</flow></page>";
  }
  return xml + "</doc></body></html>";
}

Document document_of(const std::vector<std::vector<PdfText>>& pages) {
  Document document;
  documents::DocumentWriter out(document, 1 << 20);
  documents::write_pages(documents::read_bbox_layout(layout_of(pages)), document, out);
  check_properties(document);
  return document;
}

}  // namespace

TEST_CASE("Chinese text of a PDF is read by the tables of poppler-data where the file has none") {
  if (!has_pdftotext()) return;
  for (const PdfFont font : {PdfFont::gbk, PdfFont::ucs2}) {
    const Document document =
        read_bytes(make_pdf({{{72, 780, "观潮", 24},
                              {72, 700, "河边的柳树已经发芽了，老人坐在桥头，说起从前的"},
                              {72, 684, "事情，那一年的水很大，连这座桥也差一点被水冲走，后来大家"}},
                             {{72, 780, "一起把石头搬上来。"}}},
                            font),
                   "柳.pdf");
    CHECK(document.format == DocumentFormat::pdf);
    CHECK(document.pages == 2);
    CHECK(document.title == "观潮");
    CHECK(outline(document).starts_with("# 观潮\n河边的柳树已经发芽了"));
    check_properties(document);
    const size_t last = document.text.find("一起把石头");
    REQUIRE(last != std::string::npos);
    CHECK(place_at(document, last).page == 2);
    CHECK(place_at(document, last - 4).page == 1);
  }
}

TEST_CASE("a paragraph that goes on in the next lines or on the next page is one, and knows its pages") {
  const Document document = document_of({{{50, 300, "一二三四五六七八九十甲乙丙丁戊"}, {50, 400, "序。"}}});
  CHECK(outline(document) == "一二三四五六七八九十甲乙丙丁戊\n序。\n");
  const auto words = [&](int y, int right, std::string_view text) {
    const std::string box = fmt::format("xMin=\"50\" yMin=\"{}\" xMax=\"{}\" yMax=\"{}\"", y, right, y + 10);
    return fmt::format("<line {0}><word {0}>{1}</word></line>", box, text);
  };
  const std::string xml = "<doc><page width=\"600\" height=\"800\"><flow><block>" +
                          words(300, 250, "河边的柳树已经发芽") + words(315, 250, "了，老人坐在桥头，") +
                          "</block></flow></page><page width=\"600\" "
                          "height=\"800\"><flow><block>" +
                          words(50, 200, "说起从前。他笑了。") + "</block><block>" + words(80, 120, "完了。") +
                          "</block></flow></page></doc>";
  Document two;
  documents::DocumentWriter out(two, 1 << 20);
  documents::write_pages(documents::read_bbox_layout(xml), two, out);
  CHECK(outline(two) == "河边的柳树已经发芽了，老人坐在桥头，说起从前。他笑了。\n完了。\n");
  check_properties(two);
  const std::vector<Chunk> chunks = chunks_of(two, {.characters = 24});
  REQUIRE(chunks.size() == 2);
  CHECK(two.text.substr(chunks[0].offset, chunks[0].length) == "河边的柳树已经发芽了，老人坐在桥头，说起从前。");
  CHECK(chunks[0].first_page == 1);
  CHECK(chunks[0].last_page == 2);
  CHECK(chunks[1].first_page == 2);
}

TEST_CASE("a title that is the name of a file is not one") {
  for (const auto& [title, expected] :
       {std::pair{"Tea.Final.DOCX", ""}, {"Microsoft Word - tea", ""}, {"Tea", "Tea"}}) {
    Document document;
    documents::DocumentWriter out(document, 1 << 20);
    const std::string xml = fmt::format("<html><head><title>{}</title></head><doc></doc></html>", title);
    documents::write_pages(documents::read_bbox_layout(xml), document, out);
    CHECK(document.title == expected);
  }
}

TEST_CASE("words that a line end parts are joined, and lines that end unevenly, and bullets with their items") {
  CHECK(outline(document_of({{{50, 300, "The manip-", 10},
                              {50, 315, "ulation of the", 10},
                              {50, 330, "well-known X-", 10},
                              {50, 345, "Ray of it.", 10},
                              {50, 400, "•", 10},
                              {400, 410, "An item.", 10}}})) ==
        "The manipulation of the well-known X-\nRay of it.\n• An item.\n");
}

TEST_CASE("a line that is the same on most pages at one height is a header, and its removal is noted") {
  std::vector<std::vector<PdfText>> pages;
  for (int i = 0; i < 10; ++i) {
    std::vector<PdfText> page = {
        {50, 20, "年度报告"}, {50, 300, "姓名："}, {50, 400, fmt::format("第{}份的内容。", i)}};
    if (i < 6) page.push_back({50, 40, "草稿"});                         // On 60 %, not on more.
    page.push_back({300, 700 + 3 * i, "会议记录"});                      // Not at one height.
    page.push_back({50, 780, fmt::format("第 {} 页 共 10 页", i + 1)});  // Counts.
    page.push_back({300, 780, fmt::format("共 {} 元", i * i)});          // A number that is not one of the page.
    page.push_back({500, 780,
                    std::vector<std::string>{"１", "２", "３", "４", "５", "６", "７", "８", "９",
                                             "１０"}[static_cast<size_t>(i)]});
    pages.push_back(page);
  }
  const Document document = document_of(pages);
  const auto has = [&](std::string_view part) { return document.text.find(part) != std::string::npos; };
  CHECK_FALSE(has("年度报告"));
  CHECK_FALSE(has("页 共"));
  CHECK_FALSE(has("３"));
  CHECK(has("姓名："));
  CHECK(has("草稿"));
  CHECK(has("会议记录"));
  CHECK(has("共 81 元"));
  CHECK(document.notes ==
        std::vector<std::string>{
            "\"年度报告\" is at the same height on 10 of 10 pages and was left out as a header or footer",
            "\"第 1 页 共 10 页\" is at the same height on 10 of 10 pages and was left out as a header or footer",
            "\"１\" is at the same height on 10 of 10 pages and was left out as a header or footer"});
  pages.resize(2);
  CHECK(document_of(pages).text.find("年度报告") != std::string::npos);
}

TEST_CASE("text that is the same on most pages is not a header if other text is above it, nor is a chapter heading") {
  std::vector<std::vector<PdfText>> pages;
  for (int i = 0; i < 8; ++i) {
    pages.push_back({{50, 20, fmt::format("Chapter {}", i + 1)},
                     {50, 40, fmt::format("收货人：王先生{}", i * i)},
                     {50, 60, "付款方式："},                          // The same on all, below a line that is not.
                     {50, 80, fmt::format("发票号码{}号码号码", i)},  // Counts, but is more than a number.
                     {50, 400, fmt::format("第{}份的内容。", i)},
                     {50, 760, fmt::format("Signed by officer {}", i)},
                     {50, 780, fmt::format("- {} -", i + 1)}});
  }
  const Document document = document_of(pages);
  for (int i = 0; i < 8; ++i) {
    for (const std::string& part : {fmt::format("Chapter {}", i + 1), fmt::format("发票号码{}号码号码", i),
                                    fmt::format("Signed by officer {}", i)}) {
      CHECK_MESSAGE(document.text.find(part) != std::string::npos, part);
    }
  }
  size_t found = 0;
  for (size_t at = 0; (at = document.text.find("付款方式：", at)) != std::string::npos; ++at) ++found;
  CHECK(found == 8);
  CHECK(document.text.find("- 3 -") == std::string::npos);
}

TEST_CASE("pages without text, and pages of characters that nobody knows, are listed and left out") {
  const std::string unknown = "一二三四五六七八九十一二三四五六七八九\xEF\xBF\xBD\xEE\x80\x80";
  const Document document = document_of({{{50, 300, "山高。"}}, {}, {}, {{50, 300, "水长。"}}, {{50, 300, unknown}}});
  CHECK(outline(document) == "山高。\n水长。\n");
  CHECK(document.unreadable_pages == std::vector<int>{2, 3, 5});
  CHECK(document.notes ==
        std::vector<std::string>{"pages without readable text, which need OCR unless they are empty: 2-3, 5"});
}

TEST_CASE("cells at one height are a row, and two columns of prose are not a table") {
  const std::string wide = "一二三四五六七八九十一二三四五六七八九十";
  CHECK(outline(document_of({{{50, 300, "名称", 10},
                              {50, 320, "桥", 10},
                              {50, 340, "塔", 10},
                              {200, 300, "高", 10},
                              {200, 320, "20米", 10},
                              {200, 340, "30米", 10},
                              {50, 500, "以上。", 10}}})) == "| 名称\t高\n| 桥\t20米\n| 塔\t30米\n以上。\n");
  CHECK(outline(document_of({{{50, 300, wide, 10}, {50, 320, wide, 10}, {260, 300, wide, 10}, {260, 320, wide, 10}}}))
            .find('\t') == std::string::npos);
}

TEST_CASE("the layout of any bytes is read or refused") {
  CHECK(documents::read_bbox_layout("").pages.empty());
  const documents::PageLayout broken = documents::read_bbox_layout(
      "<doc><page width=\"nan\" height=\"1e999\"><word xMin=\"x\">a\x01\xFF&nbsp;</word><line><word>b</word>");
  REQUIRE(broken.pages.size() == 1);
  CHECK(documents::read_bbox_layout("<doc><page><line><word>a</word></line></page><page><word>b</word></page></doc>")
            .pages.at(1)
            .lines.size() == 1);
}

TEST_CASE("errors of PDF files name the file and what is wrong") {
  if (!has_pdftotext()) return;
  const auto error = [](const std::string& bytes) {
    const std::string message = error_of([&] { read_bytes(bytes, "bad.pdf"); });
    return message.substr(std::min(message.find("bad.pdf: "), message.size()));
  };
  const std::string good = make_pdf({{{72, 700, "山高。"}}});
  CHECK(error(good.substr(0, good.size() / 3)).starts_with("bad.pdf: cannot be read by pdftotext (exit code 1): "));
  const std::string lock = "/Encrypt << /Filter /Standard /V 1 /R 2 /P -44 /O <" + std::string(64, 'A') + "> /U <" +
                           std::string(64, 'B') +
                           "> >> /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>] ";
  CHECK(error(make_pdf({{{72, 700, "山高。"}}}, PdfFont::gbk, lock)) ==
        "bad.pdf: is encrypted: a password is needed to read it");
}

TEST_CASE("a program that is missing is named with its package") {
  const std::string path = getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const std::string message = error_of([] { read_bytes("%PDF-1.4\n", "file.pdf"); });
  setenv("PATH", path.c_str(), 1);
  CHECK(message.ends_with("file.pdf: pdftotext is not installed: install the package poppler-utils"));
}

TEST_CASE("a child has no standard input, no files of ours, an environment of its own, and no right to write") {
  const int secret = open("/dev/null", O_RDONLY);  // Without close on exec.
  setenv("TINYLLM_TEST_SECRET", "secret", 1);
  CHECK(run_shell("cat; ls /proc/self/fd | tr '\\n' ' '").output.starts_with("0 1 2 3 "));
  CHECK(run_shell("ls /proc/self/fd | wc -l").output == "5\n");  // One of them is that of ls.
  CHECK(run_shell("echo $TINYLLM_TEST_SECRET").output == "\n");
  const TempFolder folder;
  CHECK(run_shell("echo text > " + (folder / "file").string()).exit_code != 0);
  CHECK(read_file(folder / "file").empty());
  close(secret);
}

TEST_CASE("a child has no network where the system lets it give it up") {
  const documents::ChildResult result = run_shell("cat /proc/self/net/dev | grep -c :");
  if (result.is_without_network) CHECK(result.output == "1\n");  // lo, which is down.
  if (!result.is_without_network) MESSAGE("the system does not let a process give up its network: skipped");
}

TEST_CASE("a child is ended at its limits of time, memory and output") {
  CHECK(error_of([] { run_shell("sleep 100", {.seconds = 1}); }) == "sh took longer than 1 s, which is the limit");
  CHECK(error_of([] { run_shell("sleep 100 & sleep 100", {.seconds = 1}); }) ==
        "sh took longer than 1 s, which is the limit");
  CHECK(error_of([] { run_shell("cat /dev/zero", {.output_bytes = 1 << 20}); }) ==
        "sh makes more than 1 MB of output, which is the limit");
  CHECK(run_shell("x=a; while :; do x=$x$x; done", {.seconds = 20, .memory = 64 << 20}).exit_code != 0);
  CHECK(run_shell("kill -9 $$").exit_code == 128 + 9);
  CHECK(run_shell("cat /dev/zero | head -c 1000000 >&2; exit 3").exit_code == 3);
}

}  // namespace tinyllm::test
