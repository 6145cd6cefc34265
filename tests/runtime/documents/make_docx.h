#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tinyllm::test {

using Files = std::vector<std::pair<std::string, std::string>>;

/// A ZIP archive of files.
inline std::string make_zip(const Files& files) {
  std::string bytes(1 << 16, '\0');
  for (const auto& [name, text] : files) bytes.resize(bytes.size() + name.size() * 4 + text.size() + 1024);
  size_t used = 0;
  archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  for (const auto& [name, text] : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_copy_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_header(writer, entry);
    archive_write_data(writer, text.data(), text.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

constexpr std::string_view kWordNamespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

/// A part of a document of Word: an element with this content.
inline std::string word_part(std::string_view element, std::string_view content) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><w:";
  xml.append(element).append(" xmlns:w=\"").append(kWordNamespace).append("\">");
  return xml.append(content).append("</w:").append(element).append(">");
}

/// A DOCX file with this body and other parts.
inline std::string make_docx(std::string_view body, Files parts = {}) {
  Files files = {
      {"[Content_Types].xml", "<Types/>"},
      {"_rels/.rels",
       "<Relationships><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/"
       "relationships/officeDocument\" Target=\"word/document.xml\"/></Relationships>"},
      {"word/document.xml", word_part("document", std::string("<w:body>").append(body).append("</w:body>"))}};
  files.insert(files.end(), parts.begin(), parts.end());
  return make_zip(files);
}

/// A paragraph with these properties.
inline std::string word_paragraph(std::string_view text, std::string_view properties = "") {
  std::string xml = "<w:p>";
  if (!properties.empty()) xml.append("<w:pPr>").append(properties).append("</w:pPr>");
  return xml.append("<w:r><w:t xml:space=\"preserve\">").append(text).append("</w:t></w:r></w:p>");
}

}  // namespace tinyllm::test
