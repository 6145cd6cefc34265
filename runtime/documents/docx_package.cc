#include <tinyllm/runtime/documents/docx_package.h>

#include <tinyllm/runtime/documents/xml.h>
#include <tinyllm/tensor/base/error.h>

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <memory>

namespace tinyllm::documents {
namespace {

constexpr int kMostEntries = 10000;
constexpr size_t kMostBytes = size_t{200} << 20;
constexpr size_t kMostExpansion = 100;
constexpr size_t kAlwaysAllowed = size_t{1} << 20;

// Finds the main document among the relations of the package.
class Relations : public XmlHandler {
 public:
  void begin(std::string_view name, std::span<const XmlAttribute> attributes) override {
    if (name != "Relationship" || !attribute(attributes, "Type").ends_with("/officeDocument")) return;
    target = attribute(attributes, "Target");
    if (target.starts_with('/')) target.erase(0, 1);
  }
  void end(std::string_view) override {}
  void text(std::string_view) override {}

  std::string target;
};

[[noreturn]] void damaged(archive* reader) {
  const char* why = archive_error_string(reader);
  throw Error("its archive is damaged or encrypted: {}", why == nullptr ? "unknown reason" : why);
}

}  // namespace

DocxPackage::DocxPackage(std::string_view archive) {
  unpack(archive);
  Relations relations;
  read_xml(part("_rels/.rels").empty() ? "<none/>" : part("_rels/.rels"), XmlKind::strict, relations);
  main_ = relations.target.empty() ? "word/document.xml" : relations.target;
  if (part(main_).empty() || !main_.starts_with("word/")) {
    throw Error("is an archive without a document of Word in it ({})", main_);
  }
}

std::string_view DocxPackage::part(const std::string& name) const {
  const auto found = parts_.find(name);
  return found == parts_.end() ? std::string_view() : found->second;
}

std::string_view DocxPackage::beside_main(std::string_view name) const {
  return part(main_.substr(0, main_.rfind('/') + 1).append(name));
}

void DocxPackage::unpack(std::string_view archive) {
  const std::unique_ptr<struct archive, decltype(&archive_read_free)> reader(archive_read_new(), archive_read_free);
  archive_read_support_format_zip(reader.get());
  if (archive_read_open_memory(reader.get(), archive.data(), archive.size()) != ARCHIVE_OK) damaged(reader.get());
  // Without the list at its end libarchive reads what is there, and nobody would know what is missing.
  const size_t end = std::min(archive.size(), size_t{1} << 17);
  if (archive.substr(archive.size() - end).find("PK\x05\x06") == std::string_view::npos) {
    throw Error("its archive is cut: the list at its end is missing");
  }
  archive_entry* entry = nullptr;
  size_t bytes = 0;
  for (int entries = 0;;) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return;
    if (status < ARCHIVE_WARN) damaged(reader.get());
    if (++entries > kMostEntries) throw Error("its archive has more than {} entries, which is the limit", kMostEntries);
    // None where the name is in no encoding that is known; those of Word are ASCII.
    const char* pathname = archive_entry_pathname(entry);
    const std::string name = pathname == nullptr ? "" : pathname;
    if (!name.ends_with(".xml") && !name.ends_with(".rels")) continue;
    std::string& part = parts_[name];
    if (!part.empty()) throw Error("its archive has {} twice", name);
    std::array<char, 1 << 16> buffer;
    for (la_ssize_t got; (got = archive_read_data(reader.get(), buffer.data(), buffer.size())) != 0;) {
      if (got < 0) damaged(reader.get());
      bytes += static_cast<size_t>(got);
      if (bytes > kMostBytes) throw Error("its XML has more than {} MB, which is the limit", kMostBytes >> 20);
      if (bytes > kAlwaysAllowed && bytes / kMostExpansion > archive.size()) {
        throw Error("its archive expands more than {} times, which is the limit", kMostExpansion);
      }
      part.append(buffer.data(), static_cast<size_t>(got));
    }
  }
}

}  // namespace tinyllm::documents
