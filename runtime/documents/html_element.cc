#include <tinyllm/runtime/documents/html_element.h>

#include <unordered_map>
#include <utility>

namespace tinyllm::documents {
namespace {

using Kind = HtmlElement::Kind;

constexpr std::pair<Kind, std::string_view> kKinds[] = {
    {Kind::line_break, "body br hr html"},
    {Kind::block,
     "address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer form "
     "h1 h2 h3 h4 h5 h6 header hgroup legend listing main menu nav ol pre search section summary ul"},
    {Kind::scope, "applet object select table template"},
    {Kind::paragraph, "p"},
    {Kind::item, "dd dt li"},
    {Kind::table_part, "caption tbody td tfoot th thead tr"},
    {Kind::muted, "annotation annotation-xml audio canvas datalist label map meter picture progress svg video"},
    {Kind::skipped, "iframe noembed noframes noscript script style textarea title"},
    {Kind::verbatim, "plaintext xmp"},
};
constexpr std::string_view kLeftOut = "applet aside button dialog footer menu nav object select template";
// Other names for the parser: it does not know some elements, has special rules for forms, and all headings are alike.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"div", "form legend"}, {"h1", "h2 h3 h4 h5 h6"}, {"pre", "listing"}, {"section", "dialog search"}};
constexpr std::string_view kOutliveParagraph = "a b big code em font i nobr s small strike strong tt u";

// Calls `f` for each word of a list.
template <class F>
void for_each_word(std::string_view list, F f) {
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(' '));
    f(word);
    list.remove_prefix(word.size() < list.size() ? word.size() + 1 : word.size());
  }
}

std::unordered_map<std::string_view, HtmlElement> make_elements() {
  std::unordered_map<std::string_view, HtmlElement> all;
  for (const auto& [kind, names] : kKinds) {
    for_each_word(names, [&, k = kind](std::string_view name) { all[name] = {k, name}; });
  }
  for (const auto& [other, names] : kOtherNames) {
    for_each_word(names, [&, o = other](std::string_view name) { all[name].name = o; });
  }
  for_each_word(kLeftOut, [&](std::string_view name) { all[name].is_left_out = true; });
  return all;
}

}  // namespace

const HtmlElement& html_element(std::string_view name) {
  static const std::unordered_map<std::string_view, HtmlElement> kElements = make_elements();
  static constexpr HtmlElement kPhrasing;
  const auto found = kElements.find(name);
  return found == kElements.end() ? kPhrasing : found->second;
}

bool outlives_paragraph(std::string_view name) {
  bool is_found = false;
  for_each_word(kOutliveParagraph, [&](std::string_view word) { is_found |= word == name; });
  return is_found;
}

}  // namespace tinyllm::documents
