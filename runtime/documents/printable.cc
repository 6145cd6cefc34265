#include <tinyllm/runtime/documents/printable.h>

#include <fmt/format.h>
#include <simdjson.h>

#include <iterator>

namespace tinyllm::documents {

std::string printable(const std::filesystem::path& path) {
  const std::string& bytes = path.native();
  const bool is_utf8 = simdjson::validate_utf8(bytes);
  std::string name;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !is_utf8)) {
      fmt::format_to(std::back_inserter(name), "\\x{:02X}", byte);
    } else {
      name += c;
    }
  }
  return name;
}

}  // namespace tinyllm::documents
