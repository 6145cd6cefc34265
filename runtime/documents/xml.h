#pragma once

#include <span>
#include <string_view>

namespace tinyllm::documents {

struct XmlAttribute {
  std::string_view name;  ///< Without its prefix.
  std::string_view value;
};

/// The value of an attribute; empty if there is none of that name.
std::string_view attribute(std::span<const XmlAttribute> attributes, std::string_view name);

/// Is told what an XML file holds, in order. Names are without prefixes.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual void begin(std::string_view name, std::span<const XmlAttribute> attributes) = 0;
  virtual void end(std::string_view name) = 0;
  virtual void text(std::string_view text) = 0;
};

enum class XmlKind {
  strict,    ///< Well-formed, without a document type.
  tolerant,  ///< With a document type, whose entities are not known, and with errors, from which reading goes on.
};

/// Reads XML from memory. Elements may be nested 256 deep; no file and no network is ever opened; no entity is expanded
/// but the five of XML itself. Throws Error for what is not well-formed, and what the handler throws.
void read_xml(std::string_view bytes, XmlKind kind, XmlHandler& handler);

}  // namespace tinyllm::documents
