#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/document_writer.h>
#include <tinyllm/runtime/documents/sentences.h>
#include <tinyllm/tensor/base/random.h>

#include <string>
#include <vector>

#include "error_of.h"
#include "runtime/documents/read_document.h"
#include "runtime/documents/text_cases.h"

namespace tinyllm::test {
namespace {

using Kind = Paragraph::Kind;

struct Part {
  Kind kind;
  int level;
  std::string text;
};

Document document_of(const std::vector<Part>& parts) {
  Document document;
  documents::DocumentWriter out(document, 1 << 20);
  int page = 1;
  for (const Part& part : parts) {
    out.begin(part.kind, part.level);
    out.append(part.text, page++);
  }
  out.end();
  return document;
}

std::vector<std::string> chunks(const std::vector<Part>& parts, int64_t characters) {
  const Document document = document_of(parts);
  check_properties(document);
  return texts_of(document, chunks_of(document, {characters}));
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the first sentence ends at its mark, with closing quotes and the blanks after it") {
  const struct {
    std::string_view text;
    std::string_view first;
  } cases[] = {
      {"山高。水长。", "山高。"},
      {"他说：“走吧。”她笑了。", "他说：“走吧。”"},
      {"真的吗？！是的。", "真的吗？！"},
      {"真的……是的。", "真的……"},
      {"一；二。", "一；"},
      {"One two. Three.", "One two. "},
      {"He said \"no.\" And went.", "He said \"no.\" "},
      {"Pi is 3.14 and e is 2.7. Yes.", "Pi is 3.14 and e is 2.7. "},
      {"See Fig. 3 by J. R. Smith et al. for this. Next.", "See Fig. 3 by J. R. Smith et al. for this. "},
      {"So do I. And you?", "So do I. "},
      {"It costs approx. two yuan at example.org. Next.", "It costs approx. two yuan at example.org. "},
      {"Really?! Yes.", "Really?! "},
      {"Wait... and see. Next.", "Wait... and see. "},
      {"版本1.2发布。下", "版本1.2发布。"},
      {"no end", "no end"},
      {"。", "。"},
      {"", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(c.text.substr(0, documents::first_sentence(c.text)) == c.first);
  }
}

TEST_CASE("a chunk ends with a paragraph where that leaves it half full, else with a sentence") {
  const std::string ten = "一二三四五六七八九。";  // Ten characters.
  // Both fit.
  CHECK(chunks({{Kind::text, 0, ten}, {Kind::text, 0, ten}}, 32) == Texts{ten + "\n" + ten});
  // The second one does not, and the first one is more than half.
  CHECK(chunks({{Kind::text, 0, ten + ten}, {Kind::text, 0, ten + ten}}, 32) == Texts{ten + ten, ten + ten});
  // The first one is less than half: it takes sentences of the second one.
  CHECK(chunks({{Kind::text, 0, ten}, {Kind::text, 0, ten + ten + ten}}, 32) == Texts{ten + "\n" + ten + ten, ten});
  // Sentences of one paragraph.
  CHECK(chunks({{Kind::text, 0, ten + ten + ten + ten}}, 32) == Texts{ten + ten + ten, ten});
}

TEST_CASE("a sentence that is too long is cut after a clause") {
  CHECK(chunks({{Kind::text, 0, "一二三四五六七八九十，一二三四五六七八九。"}}, 16) ==
        Texts{"一二三四五六七八九十，", "一二三四五六七八九。"});
  CHECK(chunks({{Kind::text, 0, repeat("字", 40)}}, 16) == Texts{repeat("字", 16), repeat("字", 16), repeat("字", 8)});
}

TEST_CASE("rows of a table are never cut, however long, up to a limit") {
  const std::string row = repeat("格。", 20) + "\t" + repeat("子。", 20);
  CHECK(chunks({{Kind::row, 0, row}, {Kind::row, 0, "a\tb"}}, 16) == Texts{row, "a\tb"});
  CHECK(chunks({{Kind::row, 0, "a\tb"}, {Kind::row, 0, "c\td"}}, 16) == Texts{"a\tb\nc\td"});
  CHECK(chunks({{Kind::row, 0, repeat("字", 16 * 16) + repeat("字", 10)}}, 16) ==
        Texts{repeat("字", 16 * 16), repeat("字", 10)});
}

TEST_CASE("no chunk has more than 64 KB, whatever is asked for") {
  std::string wide;
  for (int i = 0; i < 40'000; ++i) wide += i == 7 ? "\t" : "\xF0\xA0\x80\x80";  // A character of four bytes.
  for (const int64_t characters : {int64_t{4000}, ChunkOptions::kMost}) {
    const Texts found = chunks({{Kind::row, 0, wide}}, characters);
    CHECK(found.size() >= 3);
    for (const std::string& text : found) CHECK(text.size() <= size_t{64} << 10);
  }
  // Two paragraphs that fill a chunk have a line feed between them.
  std::string half;
  for (int64_t i = 0; i < ChunkOptions::kMost / 2; ++i) half += "\xF0\xA0\x80\x80";
  for (const std::string& text : chunks({{Kind::text, 0, half}, {Kind::text, 0, half}}, ChunkOptions::kMost)) {
    CHECK(text.size() <= size_t{64} << 10);
  }
}

TEST_CASE("a heading as long as a text is a text") {
  std::string words;
  for (int i = 0; i < 100; ++i) words += "很长的标题";
  const Document document =
      document_of({{Kind::heading, 1, "短的标题"}, {Kind::heading, 2, words}, {Kind::text, 0, "正文。"}});
  REQUIRE(document.paragraphs.size() == 3);
  CHECK(document.paragraphs[0].kind == Kind::heading);
  CHECK(document.paragraphs[1].kind == Kind::text);
  CHECK(document.paragraphs[1].level == 0);
}

TEST_CASE("chunks lie below one heading, and a heading with nothing below it is a chunk") {
  const Document document = document_of({{Kind::text, 0, "序。"},
                                         {Kind::heading, 1, "甲"},
                                         {Kind::heading, 2, "乙"},
                                         {Kind::text, 0, "一。"},
                                         {Kind::heading, 2, "丙"},
                                         {Kind::heading, 2, "丁"},
                                         {Kind::text, 0, "二。"},
                                         {Kind::text, 0, "三。"},
                                         {Kind::heading, 1, "戊"}});
  check_properties(document);
  const std::vector<Chunk> all = chunks_of(document);
  CHECK(texts_of(document, all) == Texts{"序。", "一。", "丙", "二。\n三。", "戊"});
  CHECK(all[0].headings == Texts{});
  CHECK(all[1].headings == Texts{"甲", "乙"});
  CHECK(all[2].headings == Texts{"甲"});
  CHECK(all[3].headings == Texts{"甲", "丁"});
  CHECK(all[4].headings == Texts{});
  CHECK(all[3].paragraph == 7);
  CHECK(all[3].first_page == 7);
  CHECK(all[3].last_page == 8);
}

TEST_CASE("chunks of any document hold all of its text, at their offsets") {
  constexpr std::string_view kParts[] = {"山",     "水。", "word ", "end. ", "”",    "，", "\t",
                                         "\u3000", "é",    "👩",     "……",    "3.14", " "};
  Random random(7);
  const auto below = [&](int64_t n) { return random.below(n); };
  for (int round = 0; round < 300; ++round) {
    std::vector<Part> parts;
    const int64_t count = below(12);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t kind = below(4);
      Part part{kind == 0 ? Kind::heading : kind == 1 ? Kind::row : Kind::text, 0, ""};
      if (kind == 0) part.level = 1 + static_cast<int>(below(4));
      for (int64_t n = below(120); n > 0; --n) part.text += kParts[static_cast<size_t>(below(std::ssize(kParts)))];
      parts.push_back(part);
    }
    CAPTURE(round);
    check_properties(document_of(parts));
  }
}

TEST_CASE("chunks that are too small to hold a sentence are refused") {
  CHECK(error_of([] { chunks_of({}, {.characters = 15}); }) == "chunks of 15 characters: expected 16 to 16000");
}

}  // namespace tinyllm::test
