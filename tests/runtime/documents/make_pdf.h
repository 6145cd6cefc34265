#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "runtime/documents/encode.h"

namespace tinyllm::test {

/// A line of text on a page of A4, in points from the lower left corner.
struct PdfText {
  int x = 0;
  int y = 0;
  std::string text;  ///< UTF-8
  int size = 12;
};

/// How a font of a PDF turns bytes into characters. None of these says so itself (ToUnicode): the tables of
/// poppler-data are needed.
enum class PdfFont {
  gbk,   ///< CMap GBK-EUC-H
  ucs2,  ///< CMap UniGB-UCS2-H
};

/// A PDF file of these pages: a catalogue, a tree of pages, and one font that is not embedded (ISO 32000-1, 7.5, 9.7).
inline std::string make_pdf(const std::vector<std::vector<PdfText>>& pages, PdfFont font = PdfFont::gbk,
                            std::string_view trailer = "") {
  const char* cmap = font == PdfFont::gbk ? "GBK-EUC-H" : "UniGB-UCS2-H";
  std::vector<std::string> objects = {
      "<< /Type /Catalog /Pages 2 0 R >>", "",
      fmt::format("<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /{} /DescendantFonts [4 0 R] >>",
                  cmap),
      "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) "
      "/Ordering (GB1) /Supplement 0 >> /DW 1000 /FontDescriptor 5 0 R >>",
      "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 "
      "/Ascent 880 /Descent -120 /CapHeight 880 /StemV 80 >>"};
  std::string kids;
  for (const auto& page : pages) {
    std::string content = "BT";
    for (const PdfText& line : page) {
      content += fmt::format(" /F1 {} Tf 1 0 0 1 {} {} Tm <", line.size, line.x, line.y);
      for (const char c : encode(line.text, font == PdfFont::gbk ? "GBK" : "UTF-16BE")) {
        content += fmt::format("{:02X}", static_cast<unsigned char>(c));
      }
      content += "> Tj";
    }
    content += " ET";
    objects.push_back(fmt::format("<< /Length {} >>\nstream\n{}\nendstream", content.size(), content));
    objects.push_back(
        fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R "
                    ">> >> /Contents {} 0 R >>",
                    objects.size()));
    kids += fmt::format("{} 0 R ", objects.size());
  }
  objects[1] = fmt::format("<< /Type /Pages /Count {} /Kids [{}] >>", pages.size(), kids);
  std::string file = "%PDF-1.4\n";
  std::string table;
  for (size_t i = 0; i < objects.size(); ++i) {
    table += fmt::format("{:010} 00000 n \n", file.size());
    file += fmt::format("{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
  }
  return file +
         fmt::format("xref\n0 {}\n0000000000 65535 f \n{}trailer << /Size {} /Root 1 0 R {}>>\nstartxref\n{}\n%%EOF\n",
                     objects.size() + 1, table, objects.size() + 1, trailer, file.size());
}

}  // namespace tinyllm::test
