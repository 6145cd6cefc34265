#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/entity.h>

#include <gumbo.h>

#include <algorithm>
#include <memory>
#include <string>

namespace tinyllm::documents {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// Decodes a text without tags with the HTML parser, which knows the 2231 names.
std::string decode(std::string_view text) {
  GumboOptions options = kGumboDefaultOptions;
  options.fragment_context = GUMBO_TAG_TEXTAREA;
  options.max_errors = 0;
  const auto destroy = [&](GumboOutput* output) { gumbo_destroy_output(&options, output); };
  const std::unique_ptr<GumboOutput, decltype(destroy)> output(
      gumbo_parse_with_options(&options, text.data(), text.size()), destroy);
  const GumboVector& children = output->root->v.element.children;
  return children.length == 1 ? static_cast<const GumboNode*>(children.data[0])->v.text.text : "";
}

}  // namespace

std::optional<Entity> parse_entity(std::string_view text) {
  constexpr size_t kLongest = 33;
  const auto is_name = [](char c) { return is_ascii_alphanumeric(static_cast<unsigned char>(c)) || c == '#'; };
  const std::string_view front = text.substr(0, kLongest);
  if (front.size() < 3) return std::nullopt;
  const auto end = static_cast<size_t>(std::find_if_not(front.begin() + 1, front.end(), is_name) - front.begin());
  if (end == front.size() || front[end] != ';' || end == 1) return std::nullopt;
  const std::string decoded = decode(front.substr(0, end + 1));
  if (decoded.empty() || (decoded.starts_with('&') && decoded != "&")) return std::nullopt;
  size_t at = 0;
  Entity entity;
  entity.size = end + 1;
  entity.character = next_character(decoded, at);
  if (at < decoded.size()) entity.second = next_character(decoded, at);
  if (at < decoded.size()) return std::nullopt;  // "&nothing;" is an old &not and a word.
  if (entity.character == '\t' || entity.character == '\n') entity.character = ' ';
  const bool is_control = entity.character < ' ' || (entity.character >= 0x7F && entity.character < 0xA0);
  if (is_control || entity.character == kReplacement) return std::nullopt;
  return entity;
}

}  // namespace tinyllm::documents
