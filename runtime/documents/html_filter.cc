#include <tinyllm/runtime/documents/byte_set.h>
#include <tinyllm/runtime/documents/html_element.h>
#include <tinyllm/runtime/documents/html_filter.h>
#include <tinyllm/runtime/documents/html_tag.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace tinyllm::documents {
namespace {

constexpr size_t kNone = std::string_view::npos;

using Kind = HtmlElement::Kind;

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
  // An open block.
  struct Open {
    const HtmlElement* element;
    bool is_written;  // Its tag is in the result.

    bool is(std::string_view name) const { return element->name == name; }
  };

  // An open inline element whose text is left out.
  struct Mute {
    std::string name;           // Empty: none.
    int open = 0;               // Open elements of that name.
    int html = 0;               // Open elements of SVG that hold HTML.
    size_t depth = 0;           // Blocks that were open around it.
    bool in_paragraph = false;  // It ends with its paragraph.
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

  // Keeps text before and after a removed tag from forming an entity.
  void separate() {
    constexpr size_t kLongestEntity = 40;
    if (is_joined_ && out_.find('&', out_.size() - std::min(out_.size(), kLongestEntity)) != kNone) out_ += "<!---->";
    is_joined_ = false;
  }

  // Takes the comment, the tag or the plain character at a `<`.
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
    const HtmlElement& element = html_element(tag->name);
    if (tag->closes) {
      close(*tag, element);
    } else {
      open(*tag, element);
    }
  }

  void open(const HtmlTag& tag, const HtmlElement& element) {
    const bool in_svg = mute_.name == "svg";
    if (in_svg && (tag.name == "foreignobject" || tag.name == "desc")) mute_.html += tag.closes_itself ? 0 : 1;
    if (tag.name == mute_.name && !tag.closes_itself) ++mute_.open;
    const bool hides = element.is_left_out || tag.is_hidden;
    if (closes_select(tag.name)) {
      close({"select", 0, true}, html_element("select"));
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
      if (ends_last_item(element)) leave(open_.size() - 1);
      if (open_.size() >= kDeepestElement) {
        ++too_deep_;
        line_break();
        return hides ? mute(tag) : void();
      }
      open_.push_back({&element, !is_muted()});
    }
    if (is_muted()) return;
    out_.append("<").append(element.name);
    if (element.name == "h1" && tag.name != "h1") out_.append(" id=").append(tag.name, 1);
    out_.append(hides ? " hidden>" : ">");
  }

  // Whether an item begins right after another one of the same kind of list.
  bool ends_last_item(const HtmlElement& element) const {
    const bool follows_item = !open_.empty() && open_.back().element->kind == Kind::item;
    return follows_item && element.kind == Kind::item && open_.back().is("li") == (element.name == "li");
  }

  void close(const HtmlTag& tag, const HtmlElement& element) {
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
    if (!is_muted()) out_.append("</").append(element.name).append(">");
  }

  void line_break() {
    if (!is_muted()) out_ += "<br>";
  }

  void mute(const HtmlTag& tag) {
    const bool is_empty = tag.closes_itself && (tag.name == "svg" || tag.name.starts_with("annotation"));
    if (!is_muted() && !is_empty)
      mute_ = {tag.name, 1, 0, open_.size(), in_paragraph_ && !outlives_paragraph(tag.name)};
  }

  // Takes the text up to the end tag of an element in which markup is text. The end tag is then read like any other.
  std::string_view take_raw(std::string_view name) {
    const std::string_view raw = html_.substr(at_, html_raw_text_size(html_.substr(at_), name));
    at_ += raw.size();
    return raw;
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

  // Closes the innermost open element of this name. Returns whether its start tag is in the result.
  bool leave_element(std::string_view name) {
    if (too_deep_ > 0) {
      --too_deep_;
      line_break();
      return false;
    }
    for (size_t i = open_.size(); i-- > 0;) {
      const Open open = open_[i];
      if (open.is(name)) {
        leave(i);
        return open.is_written;
      }
      if (is_barrier(open, name)) return false;
    }
    return false;
  }

  // Whether an end tag of this name within an open element does not close anything around that element.
  static bool is_barrier(const Open& open, std::string_view name) {
    if (name == "template") return false;
    if (name == "table" && open.is("select")) return false;
    return open.element->kind == Kind::scope || (name == "li" && (open.is("ul") || open.is("ol")));
  }

  bool closes_select(std::string_view name) const {
    return !open_.empty() && open_.back().is("select") && (name == "select" || name == "input" || name == "textarea");
  }

  // At a tag of a part of a table: ends a mute that began in the part before. A start tag also closes all elements
  // there.
  void leave_cell(bool begins) {
    for (size_t i = open_.size(); i-- > 0;) {
      if (open_[i].is("table")) {
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

  // Closes all open elements except the first `size`.
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
  int too_deep_ = 0;  // Open elements that are nested deeper than the limit.
};

}  // namespace

std::string filter_html(std::string_view html) { return Filter(html).run(); }

}  // namespace tinyllm::documents
