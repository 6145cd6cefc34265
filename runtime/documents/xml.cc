#include <tinyllm/runtime/documents/xml.h>

#include <tinyllm/tensor/base/error.h>

#include <libxml/parser.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace tinyllm::documents {
namespace {

constexpr int kDeepest = 256;

std::string_view view(const xmlChar* text) { return reinterpret_cast<const char*>(text); }

// What libxml2 calls. No exception may pass through it.
struct Reading {
  XmlHandler& handler;
  XmlKind kind;
  xmlParserCtxt* parser = nullptr;
  std::vector<XmlAttribute> attributes;
  std::exception_ptr thrown;
  std::string error;
  int depth = 0;

  template <class F>
  static void call(void* self, F f) {
    auto& reading = *static_cast<Reading*>(self);
    if (reading.thrown != nullptr) return;
    try {
      f(reading);
    } catch (...) {
      reading.thrown = std::current_exception();
      xmlStopParser(reading.parser);
    }
  }

  static void begin(void* self, const xmlChar* name, const xmlChar*, const xmlChar*, int, const xmlChar**, int count,
                    int, const xmlChar** values) {
    call(self, [&](Reading& reading) {
      // libxml2 limits the depth of trees, and not of what it tells as it goes.
      if (++reading.depth > kDeepest)
        throw Error("its XML is more than {} elements deep, which is the limit", kDeepest);
      reading.attributes.clear();
      for (int i = 0; i < count; ++i, values += 5) {
        const std::string_view value(reinterpret_cast<const char*>(values[3]),
                                     static_cast<size_t>(values[4] - values[3]));
        reading.attributes.push_back({view(values[0]), value});
      }
      reading.handler.begin(view(name), reading.attributes);
    });
  }

  static void end(void* self, const xmlChar* name, const xmlChar*, const xmlChar*) {
    call(self, [&](Reading& reading) {
      --reading.depth;
      reading.handler.end(view(name));
    });
  }

  static void text(void* self, const xmlChar* text, int size) {
    call(self, [&](Reading& reading) {
      reading.handler.text({reinterpret_cast<const char*>(text), static_cast<size_t>(size)});
    });
  }

  static void document_type(void* self, const xmlChar*, const xmlChar*, const xmlChar*) {
    call(self, [&](Reading& reading) {
      if (reading.kind == XmlKind::strict) throw Error("its XML has a document type, which is not allowed");
    });
  }

  static void fail(void* self, xmlError* error) {
    auto& reading = *static_cast<Reading*>(self);
    if (error->level < XML_ERR_FATAL || !reading.error.empty()) return;
    reading.error = fmt::format("line {}: {}", error->line, error->message == nullptr ? "" : error->message);
    while (reading.error.ends_with('\n')) reading.error.pop_back();
  }
};

}  // namespace

std::string_view attribute(std::span<const XmlAttribute> attributes, std::string_view name) {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const XmlAttribute& attribute) { return attribute.name == name; });
  return found == attributes.end() ? std::string_view() : found->value;
}

void read_xml(std::string_view bytes, XmlKind kind, XmlHandler& handler) {
  constexpr size_t kSlice = size_t{1} << 20;
  xmlSAXHandler calls{};
  calls.initialized = XML_SAX2_MAGIC;
  calls.startElementNs = Reading::begin;
  calls.endElementNs = Reading::end;
  calls.characters = Reading::text;
  calls.cdataBlock = Reading::text;
  calls.internalSubset = Reading::document_type;
  calls.serror = [](void* self, xmlError* error) { Reading::fail(self, error); };
  Reading reading{handler, kind, nullptr, {}, nullptr, "", 0};
  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> parser(
      xmlCreatePushParserCtxt(&calls, &reading, nullptr, 0, nullptr), xmlFreeParserCtxt);
  if (parser == nullptr) throw Error("libxml2 has no memory");
  reading.parser = parser.get();
  xmlCtxtUseOptions(parser.get(), XML_PARSE_NONET | (kind == XmlKind::tolerant ? XML_PARSE_RECOVER : 0));
  for (size_t at = 0; at < bytes.size() && reading.thrown == nullptr; at += kSlice) {
    const std::string_view slice = bytes.substr(at, kSlice);
    xmlParseChunk(parser.get(), slice.data(), static_cast<int>(slice.size()), 0);
  }
  if (reading.thrown == nullptr) xmlParseChunk(parser.get(), "", 0, 1);
  if (reading.thrown != nullptr) std::rethrow_exception(reading.thrown);
  if (kind == XmlKind::strict && parser->wellFormed == 0) throw Error("its XML is damaged: {}", reading.error);
}

}  // namespace tinyllm::documents
