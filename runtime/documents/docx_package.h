#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tinyllm::documents {

/// The XML parts of an Office Open XML file, a ZIP archive (ECMA-376 part 2), by their names.
class DocxPackage {
 public:
  /// Unpacks them. Throws Error when the archive is damaged or encrypted, has no main document of Word, has more than
  /// 10,000 entries, or has XML of more than 200 MB, or more than 100 times the size of the archive (and 1 MB).
  explicit DocxPackage(std::string_view archive);

  /// The name of the main document, "word/document.xml" in most files.
  const std::string& main() const { return main_; }

  /// A part by its name; empty if there is none.
  std::string_view part(const std::string& name) const;

  /// A part in the folder of the main document.
  std::string_view beside_main(std::string_view name) const;

  const std::map<std::string, std::string>& parts() const { return parts_; }

 private:
  void unpack(std::string_view archive);

  std::map<std::string, std::string> parts_;
  std::string main_;
};

}  // namespace tinyllm::documents
