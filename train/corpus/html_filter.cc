#include <tinyllm/train/corpus/byte_set.h>
#include <tinyllm/train/corpus/characters.h>
#include <tinyllm/train/corpus/html_filter.h>
#include <tinyllm/train/corpus/html_tag.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace tinyllm::corpus {
namespace {

constexpr size_t kNone = std::string_view::npos;

enum class Kind {
  phrasing,    // Its tags are dropped: it has no part in the shape of the text.
  line_break,  // Ends a line.
  block,       // Ends lines, and may hold other blocks.
  scope,       // A block; end tags in it do not close what was opened outside of it.
  paragraph,   // Closed by the next block.
  item,        // Closed by the next item of its list.
  table_part,  // Closed by the next part of its table.
  muted,       // An inline element whose text is left out.
  skipped,     // Markup in it is text, which is left out.
  verbatim,    // Markup in it is text.
};

struct Element {
  std::string_view name;
  Kind kind;
  std::string_view as;  // The name that the parser is given, where it is another.
  bool is_left_out = false;
};

// Sorted by name. The parser does not know some of the names, and treats forms and SVG in ways of their own.
constexpr std::array kElements = {
    Element{"address", Kind::block, ""},
    Element{"annotation", Kind::muted, ""},
    Element{"annotation-xml", Kind::muted, ""},
    Element{"applet", Kind::scope, "", true},
    Element{"article", Kind::block, ""},
    Element{"aside", Kind::block, "", true},
    Element{"audio", Kind::muted, ""},
    Element{"blockquote", Kind::block, ""},
    Element{"body", Kind::line_break, ""},
    Element{"br", Kind::line_break, ""},
    Element{"button", Kind::block, "", true},
    Element{"canvas", Kind::muted, ""},
    Element{"caption", Kind::table_part, ""},
    Element{"center", Kind::block, ""},
    Element{"datalist", Kind::muted, ""},
    Element{"dd", Kind::item, ""},
    Element{"details", Kind::block, ""},
    Element{"dialog", Kind::block, "section", true},
    Element{"dir", Kind::block, ""},
    Element{"div", Kind::block, ""},
    Element{"dl", Kind::block, ""},
    Element{"dt", Kind::item, ""},
    Element{"fieldset", Kind::block, ""},
    Element{"figcaption", Kind::block, ""},
    Element{"figure", Kind::block, ""},
    Element{"footer", Kind::block, "", true},
    Element{"form", Kind::block, "div"},
    Element{"h1", Kind::block, ""},
    Element{"h2", Kind::block, "h1"},
    Element{"h3", Kind::block, "h1"},
    Element{"h4", Kind::block, "h1"},
    Element{"h5", Kind::block, "h1"},
    Element{"h6", Kind::block, "h1"},
    Element{"header", Kind::block, ""},
    Element{"hgroup", Kind::block, ""},
    Element{"hr", Kind::line_break, ""},
    Element{"html", Kind::line_break, ""},
    Element{"iframe", Kind::skipped, ""},
    Element{"label", Kind::muted, ""},
    Element{"legend", Kind::block, "div"},
    Element{"li", Kind::item, ""},
    Element{"listing", Kind::block, "pre"},
    Element{"main", Kind::block, ""},
    Element{"map", Kind::muted, ""},
    Element{"menu", Kind::block, "", true},
    Element{"meter", Kind::muted, ""},
    Element{"nav", Kind::block, "", true},
    Element{"noembed", Kind::skipped, ""},
    Element{"noframes", Kind::skipped, ""},
    Element{"noscript", Kind::skipped, ""},
    Element{"object", Kind::scope, "", true},
    Element{"ol", Kind::block, ""},
    Element{"p", Kind::paragraph, ""},
    Element{"picture", Kind::muted, ""},
    Element{"plaintext", Kind::verbatim, ""},
    Element{"pre", Kind::block, ""},
    Element{"progress", Kind::muted, ""},
    Element{"script", Kind::skipped, ""},
    Element{"search", Kind::block, "section"},
    Element{"section", Kind::block, ""},
    Element{"select", Kind::scope, "", true},
    Element{"style", Kind::skipped, ""},
    Element{"summary", Kind::block, ""},
    Element{"svg", Kind::muted, ""},
    Element{"table", Kind::scope, ""},
    Element{"tbody", Kind::table_part, ""},
    Element{"td", Kind::table_part, ""},
    Element{"template", Kind::scope, "", true},
    Element{"textarea", Kind::skipped, ""},
    Element{"tfoot", Kind::table_part, ""},
    Element{"th", Kind::table_part, ""},
    Element{"thead", Kind::table_part, ""},
    Element{"title", Kind::skipped, ""},
    Element{"tr", Kind::table_part, ""},
    Element{"ul", Kind::block, ""},
    Element{"video", Kind::muted, ""},
    Element{"xmp", Kind::verbatim, ""},
};
constexpr auto kByName = [](const Element& a, const Element& b) { return a.name < b.name; };
static_assert(std::is_sorted(kElements.begin(), kElements.end(), kByName));

// The element of this name, under the name that the parser is given.
Element element_of(std::string_view name) {
  Element element{name, Kind::phrasing, ""};
  const auto* found = std::lower_bound(kElements.begin(), kElements.end(), element, kByName);
  if (found == kElements.end() || found->name != name) return element;
  element = *found;
  if (!element.as.empty()) element.name = element.as;
  return element;
}

class Filter {
 public:
  explicit Filter(std::string_view html) : html_(html) { out_.reserve(html.size()); }

  std::string run() {
    while (at_ < html_.size()) {
      const size_t end = std::min(html_.find('<', at_), html_.size());
      text(html_.substr(at_, end - at_));
      at_ = end;
      if (at_ < html_.size()) markup();
    }
    return std::move(out_);
  }

 private:
  struct Open {
    std::string_view name;
    bool is_scope;
    bool is_written;  // The parser knows of it.
  };

  // What is open of an inline element that is left out.
  struct Mute {
    std::string name;  // Empty: none.
    int open = 0;      // Elements of that name.
    int html = 0;      // Elements of SVG that hold HTML.
    size_t depth = 0;  // Blocks that were open around it.
    bool in_paragraph = false;
  };

  bool is_muted() const { return !mute_.name.empty(); }

  void text(std::string_view text) {
    if (is_muted() || text.empty()) return;
    separate();
    for (size_t at = 0; at < text.size();) {
      constexpr ByteSet kSpecial(std::string_view("\0<", 2));
      const size_t end = kSpecial.find(text, at);
      out_ += text.substr(at, end - at);
      if (end < text.size() && text[end] == '<') out_ += "&lt;";
      at = end + 1;
    }
  }

  // Text around a tag that was removed must not become an entity.
  void separate() {
    constexpr size_t kLongestEntity = 40;
    if (is_joined_ && out_.find('&', out_.size() - std::min(out_.size(), kLongestEntity)) != kNone) out_ += "<!---->";
    is_joined_ = false;
  }

  // At a `<`.
  void markup() {
    const std::string_view rest = html_.substr(at_);
    const size_t comment = html_comment_size(rest);
    const std::optional<HtmlTag> tag = comment > 0 ? std::nullopt : parse_html_tag(rest);
    if (comment == 0 && !tag) {
      text("<");
      ++at_;
      return;
    }
    is_joined_ = true;
    at_ += tag ? tag->size : comment;
    if (!tag) return;
    const Element element = element_of(tag->name);
    if (tag->closes) {
      close(*tag, element);
    } else {
      open(*tag, element);
    }
  }

  void open(const HtmlTag& tag, const Element& element) {
    const bool in_svg = mute_.name == "svg";
    if (in_svg && (tag.name == "foreignobject" || tag.name == "desc")) mute_.html += tag.closes_itself ? 0 : 1;
    if (tag.name == mute_.name && !tag.closes_itself) ++mute_.open;
    const bool hides = element.is_left_out || tag.is_hidden;
    if (closes_select(tag.name)) {
      close({"select", 0, true}, element_of("select"));
      if (tag.name == "select") return;
    }
    switch (element.kind) {
      case Kind::phrasing:
        return tag.is_hidden && !is_void_element(tag.name) ? mute(tag) : void();
      case Kind::muted:
        return mute(tag);
      case Kind::skipped:
        if (!in_svg || (tag.name != "title" && !tag.closes_itself)) take_raw(tag.name);
        return;
      case Kind::verbatim:
        return verbatim(tag);
      default:
        break;
    }
    if (in_svg && mute_.html == 0) mute_ = {};
    if (element.kind == Kind::line_break) return line_break();
    leave_paragraph();
    in_paragraph_ = element.kind == Kind::paragraph;
    if (element.kind == Kind::table_part) {
      leave_cell(true);
    } else if (element.kind != Kind::paragraph) {
      const auto is_definition = [](std::string_view name) { return name == "dd" || name == "dt"; };
      const bool is_next =
          element.kind == Kind::item && !open_.empty() &&
          (open_.back().name == element.name || (is_definition(open_.back().name) && is_definition(element.name)));
      if (is_next) leave(open_.size() - 1);
      if (open_.size() >= kDeepestElement) {
        ++too_deep_;
        line_break();
        return hides ? mute(tag) : void();
      }
      open_.push_back({element.name, element.kind == Kind::scope, !is_muted()});
    }
    if (is_muted()) return;
    out_ += '<';
    out_ += element.name;
    out_ += hides ? " hidden>" : ">";
  }

  void close(const HtmlTag& tag, const Element& element) {
    if (mute_.html > 0 && (tag.name == "foreignobject" || tag.name == "desc")) --mute_.html;
    if (tag.name == mute_.name && --mute_.open == 0) mute_ = {};
    switch (element.kind) {
      case Kind::line_break:
        return line_break();
      case Kind::paragraph:
        break;
      case Kind::table_part:
        leave_cell(false);
        break;
      case Kind::block:
      case Kind::scope:
      case Kind::item:
        if (!leave_element(element.name)) return;
        break;
      default:
        return;
    }
    leave_paragraph();
    if (is_muted()) return;
    out_ += "</";
    out_ += element.name;
    out_ += '>';
  }

  void line_break() {
    if (!is_muted()) out_ += "<br>";
  }

  void mute(const HtmlTag& tag) {
    const bool is_empty = tag.closes_itself && (tag.name == "svg" || tag.name.starts_with("annotation"));
    if (!is_muted() && !is_empty)
      mute_ = {tag.name, 1, 0, open_.size(), in_paragraph_ && !outlives_paragraph(tag.name)};
  }

  // The text up to the end tag of an element in which markup is text.
  std::string_view take_raw(std::string_view name) {
    const size_t begin = at_;
    const auto is_tag = [&](size_t at) {
      const size_t end = at + name.size();
      return end < html_.size() && std::string_view(" \t\r\n\f/>").find(html_[end]) != kNone &&
             lower_case(html_.substr(at, name.size())) == name;
    };
    bool in_comment = false;  // A script within a comment within a script has an end of its own.
    bool in_script = false;
    constexpr ByteSet kMarks("<-");
    for (; (at_ = kMarks.find(html_, at_)) < html_.size(); ++at_) {
      const std::string_view rest = html_.substr(at_);
      if (rest.starts_with("</") && is_tag(at_ + 2)) {
        if (!in_script) return html_.substr(begin, at_ - begin);  // The end tag is read as that of any element.
        in_script = false;
      } else if (rest.starts_with("-->")) {
        in_comment = in_script = false;
      } else if (name == "script" && rest.starts_with("<!--")) {
        in_comment = true;
        ++at_;  // "<!-->" is a whole comment.
      } else if (in_comment && rest.starts_with('<') && is_tag(at_ + 1)) {
        in_script = true;
      }
    }
    return html_.substr(begin);
  }

  void verbatim(const HtmlTag& tag) {
    std::string_view rest =
        tag.name == "plaintext" ? html_.substr(std::exchange(at_, html_.size())) : take_raw(tag.name);
    if (is_muted() || tag.is_hidden) return;
    out_ += "<pre>";
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('&'), rest.size());
      text(rest.substr(0, end));
      if (end < rest.size()) out_ += "&amp;";
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    out_ += "</pre>";
  }

  // Whether an element of this name was open, which it no longer is then, and known to the parser.
  bool leave_element(std::string_view name) {
    if (too_deep_ > 0) {
      --too_deep_;
      line_break();
      return false;
    }
    for (size_t i = open_.size(); i-- > 0;) {
      const Open open = open_[i];
      if (open.name == name) {
        leave(i);
        return open.is_written;
      }
      if (is_barrier(open, name)) return false;
    }
    return false;
  }

  // Whether an end tag of this name does not reach beyond an open element.
  static bool is_barrier(const Open& open, std::string_view name) {
    if (name == "template") return false;
    if (name == "table" && open.name == "select") return false;
    return open.is_scope || (name == "li" && (open.name == "ul" || open.name == "ol"));
  }

  bool closes_select(std::string_view name) const {
    return !open_.empty() && open_.back().name == "select" &&
           (name == "select" || name == "input" || name == "textarea");
  }

  // A part of a table ends what is muted in the part before; one that begins also closes all that is open there.
  void leave_cell(bool begins) {
    for (size_t i = open_.size(); i-- > 0;) {
      if (open_[i].name == "table") {
        if (mute_.depth > i) mute_ = {};
        if (begins) leave(i + 1);
        return;
      }
      if (is_barrier(open_[i], "table")) return;
    }
  }

  void leave_paragraph() {
    if (mute_.in_paragraph && mute_.html == 0) mute_ = {};
    in_paragraph_ = false;
  }

  // Browsers open these again in the next paragraph.
  static bool outlives_paragraph(std::string_view name) {
    constexpr std::array<std::string_view, 14> kNames = {"a",    "b", "big",   "code",   "em",     "font", "i",
                                                         "nobr", "s", "small", "strike", "strong", "tt",   "u"};
    return std::binary_search(kNames.begin(), kNames.end(), name);
  }

  void leave(size_t size) {
    open_.resize(size);
    if (is_muted() && size < mute_.depth) mute_ = {};
  }

  std::string_view html_;
  size_t at_ = 0;
  std::string out_;
  bool is_joined_ = false;  // Markup was removed since the last text.
  bool in_paragraph_ = false;
  Mute mute_;
  std::vector<Open> open_;
  int too_deep_ = 0;  // Elements opened below the deepest one.
};

}  // namespace

std::string filter_html(std::string_view html) { return Filter(html).run(); }

}  // namespace tinyllm::corpus
