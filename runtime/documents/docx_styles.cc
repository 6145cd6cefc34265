#include <tinyllm/runtime/documents/docx_styles.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/xml.h>

#include <charconv>

namespace tinyllm::documents {

class DocxStylesReader : public XmlHandler {
 public:
  explicit DocxStylesReader(DocxStyles& styles) : styles_(styles) {}

  void begin(std::string_view name, std::span<const XmlAttribute> attributes) override {
    if (name == "style") {
      entry_ = &styles_.entries_[std::string(attribute(attributes, "styleId"))];
      return;
    }
    if (entry_ == nullptr) return;
    const std::string_view value = attribute(attributes, "val");
    if (name == "name") {
      entry_->style.name = lower_case(value);
    } else if (name == "basedOn") {
      entry_->based_on = value;
    } else if (name == "outlineLvl") {
      std::from_chars(value.data(), value.data() + value.size(), entry_->style.outline);
    } else if (name == "numId") {
      entry_->style.numbering.list = value;
    } else if (name == "ilvl") {
      std::from_chars(value.data(), value.data() + value.size(), entry_->style.numbering.level);
    }
  }

  void end(std::string_view name) override {
    if (name == "style") entry_ = nullptr;
  }

  void text(std::string_view) override {}

 private:
  DocxStyles& styles_;
  DocxStyles::Entry* entry_ = nullptr;
};

DocxStyles::DocxStyles(std::string_view xml) {
  if (xml.empty()) return;
  DocxStylesReader reader(*this);
  read_xml(xml, XmlKind::strict, reader);
}

DocxStyle DocxStyles::find(const std::string& id) const {
  constexpr int kLongestChain = 16;  // Styles may be based on each other in a circle.
  DocxStyle found;
  auto entry = entries_.find(id);
  for (int i = 0; i < kLongestChain && entry != entries_.end(); ++i) {
    const DocxStyle& style = entry->second.style;
    if (found.name.empty()) found.name = style.name;
    if (found.outline < 0) found.outline = style.outline;
    // "heading 3" is one whatever else is said.
    const bool is_heading =
        style.name.starts_with("heading ") && style.name.size() == 9 && style.name[8] >= '1' && style.name[8] <= '9';
    if (found.outline < 0 && is_heading) found.outline = style.name[8] - '1';
    if (found.numbering.list.empty() && !style.numbering.list.empty()) {
      found.numbering = style.numbering;
      if (found.numbering.level == 0 && found.outline > 0 && found.outline < 9) found.numbering.level = found.outline;
    }
    entry = entries_.find(entry->second.based_on);
  }
  return found;
}

}  // namespace tinyllm::documents
