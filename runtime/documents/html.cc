#include <tinyllm/runtime/documents/html.h>
#include <tinyllm/runtime/documents/html_filter.h>
#include <tinyllm/runtime/documents/html_tag.h>
#include <tinyllm/tensor/base/error.h>

#include <gumbo.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace tinyllm::documents {
namespace {

// From U+3000 on characters stand without blanks: kana, Chinese characters and full-width signs.
bool is_wide_first(char lead) { return static_cast<unsigned char>(lead) >= 0xE3; }
bool ends_wide(std::string_view text) {
  return text.size() >= 3 && (text.back() & 0xC0) == 0x80 && is_wide_first(text[text.size() - 3]);
}

// Assembles the text of a page: blanks shrink to one, and lines break where blocks begin and end.
class Writer {
 public:
  void text(std::string_view text) {
    while (!text.empty()) {
      const size_t end = std::min(find_blank(text), text.size());
      word(text.substr(0, end));
      text.remove_prefix(end);
      if (text.empty()) break;
      blank_ = true;
      line_feed_ |= text[0] == '\n';
      text.remove_prefix(text[0] == kNoBreak[0] ? kNoBreak.size() : 1);
    }
  }

  void preformatted(std::string_view text) {
    begin_word();
    if (begins_line() && text.starts_with('\n')) text.remove_prefix(1);
    text_ += text;
  }

  // Ends the line; within a cell before the next word there, if there is one.
  void line() {
    blank_ = line_feed_ = false;
    if (!rows_.empty() && rows_.back().cells > 0) {
      rows_.back().ends_line = true;
    } else {
      end_line();
    }
  }

  void begin_row() {
    line();
    if (!rows_.empty()) rows_.back().is_layout = true;  // With a table in it.
    if (!rows_.empty() && rows_.back().ends_line) break_line();
    rows_.emplace_back();
  }

  void cell() {
    if (rows_.empty()) return end_line();
    Row& row = rows_.back();
    blank_ = line_feed_ = row.ends_line = false;
    row.lines = 1;
    ++row.cells;
    if (begins_line()) return;
    row.tabs.push_back(text_.size());
    text_ += '\t';
  }

  // A heading or code in a cell.
  void lay_out() {
    if (!rows_.empty()) rows_.back().is_layout = true;
  }

  // A row of data becomes one line; one that lays out the page keeps its lines, and its cells are lines too.
  void end_row() {
    if (rows_.empty()) return;
    const Row row = std::move(rows_.back());
    rows_.pop_back();
    const bool is_data = row.cells > 1 && !row.is_layout;
    for (const size_t at : is_data ? row.breaks : row.tabs) text_[at] = is_data ? ' ' : '\n';
    line();
  }

  // The text up to `end_heading` is one, unless it is in a table.
  void begin_heading(int level) {
    line();
    if (rows_.empty()) heading_ = {text_.size(), level};
  }
  void end_heading() {
    line();
    if (heading_.level > 0 && heading_.offset < text_.size()) headings_.push_back(heading_);
    heading_ = {};
  }
  std::vector<HeadingMark> take_headings() { return std::move(headings_); }

  // An item without words leaves no mark.
  void begin_item() {
    line();
    is_item_ = true;
  }
  void end_item() { is_item_ = false; }

  std::string take() {
    end_line();
    return std::move(text_);
  }

 private:
  static constexpr std::string_view kNoBreak = "\xC2\xA0";  // U+00A0.

  struct Row {
    int cells = 0;
    int lines = 0;           // In this cell.
    bool ends_line = false;  // The next word of this cell begins a line.
    bool is_layout = false;
    std::vector<size_t> breaks;  // Where lines in cells end,
    std::vector<size_t> tabs;    // and cells.
  };

  void end_line() {
    while (text_.ends_with(' ') || text_.ends_with('\t')) text_.pop_back();
    if (!begins_line()) text_ += '\n';
  }

  // Within a cell.
  void break_line() {
    constexpr int kMostLines = 3;
    Row& row = rows_.back();
    row.ends_line = false;
    if (begins_line() || text_.ends_with('\t')) return;
    row.is_layout |= ++row.lines > kMostLines;
    while (text_.ends_with(' ')) text_.pop_back();
    row.breaks.push_back(text_.size());
    text_ += '\n';
  }

  bool begins_line() const { return text_.empty() || text_.ends_with('\n'); }

  static size_t find_blank(std::string_view text) {
    size_t i = 0;
    for (; i < text.size(); ++i) {
      const char c = text[i];
      if (c == ' ' || (c >= '\t' && c <= '\r') || (c == kNoBreak[0] && text.substr(i).starts_with(kNoBreak))) break;
    }
    return i;
  }

  void word(std::string_view word) {
    if (word.empty()) return;
    const bool is_folded = line_feed_ && is_wide_first(word[0]) && ends_wide(text_);
    if (is_folded) blank_ = false;
    begin_word();
    text_ += word;
  }

  void begin_word() {
    if (!rows_.empty() && rows_.back().ends_line) break_line();
    const bool is_fresh = begins_line() || text_.ends_with('\t') || text_.ends_with(' ');
    if (blank_ && !is_fresh) text_ += ' ';
    blank_ = line_feed_ = false;
    if (is_item_) text_ += "- ";
    is_item_ = false;
  }

  std::string text_;
  bool blank_ = false;      // There were blanks since the last word,
  bool line_feed_ = false;  // and a line feed among them.
  bool is_item_ = false;    // The next word begins an item of a list.
  std::vector<Row> rows_;   // The open rows, which are nested.
  HeadingMark heading_;     // The open one; level 0: none.
  std::vector<HeadingMark> headings_;
};

// Walks the tree of a page and calls the writer where elements begin and end.
class Walker {
 public:
  std::string walk(const GumboNode* root) {
    enter(root);
    while (!path_.empty()) {
      auto& [node, next] = path_.back();
      const GumboVector& children = node->v.element.children;
      if (next < children.length) {
        enter(static_cast<const GumboNode*>(children.data[next++]));
      } else {
        leave(*node);
        path_.pop_back();
      }
    }
    return writer_.take();
  }

  std::vector<HeadingMark> take_headings() { return writer_.take_headings(); }

 private:
  struct Step {
    const GumboNode* node;
    unsigned next;  // Index of the next child.
  };

  void enter(const GumboNode* node) {
    switch (node->type) {
      case GUMBO_NODE_ELEMENT:
      case GUMBO_NODE_TEMPLATE:
        if (is_left_out(node->v.element)) return is_block(node->v.element.tag) ? writer_.line() : void();
        open(node->v.element);
        path_.push_back({node, 0});
        break;
      case GUMBO_NODE_TEXT:
      case GUMBO_NODE_WHITESPACE:
        if (preformatted_ > 0) {
          writer_.preformatted(node->v.text.text);
        } else {
          writer_.text(node->v.text.text);
        }
        break;
      default:
        break;
    }
  }

  bool is_left_out(const GumboElement& element) const {
    const bool is_of_page = element.tag == GUMBO_TAG_HEADER && articles_ == 0;
    return is_of_page || gumbo_get_attribute(&element.attributes, "hidden") != nullptr;
  }

  // An element that is left out does not break the line, unless it is a block.
  static bool is_block(GumboTag tag) {
    return tag != GUMBO_TAG_APPLET && tag != GUMBO_TAG_BUTTON && tag != GUMBO_TAG_OBJECT && tag != GUMBO_TAG_SELECT &&
           tag != GUMBO_TAG_TEMPLATE;
  }
  static bool is_article(GumboTag tag) { return tag == GUMBO_TAG_ARTICLE || tag == GUMBO_TAG_MAIN; }

  static int heading_level(const GumboElement& element) {
    const GumboAttribute* level = gumbo_get_attribute(&element.attributes, "id");
    return level == nullptr ? 1 : std::clamp(level->value[0] - '0', 1, 6);
  }

  void open(const GumboElement& element) {
    const GumboTag tag = element.tag;
    articles_ += is_article(tag) ? 1 : 0;
    preformatted_ += tag == GUMBO_TAG_PRE ? 1 : 0;
    if (tag == GUMBO_TAG_H1 || tag == GUMBO_TAG_PRE) writer_.lay_out();
    switch (tag) {
      case GUMBO_TAG_LI:
        return writer_.begin_item();
      case GUMBO_TAG_TR:
        return writer_.begin_row();
      case GUMBO_TAG_TD:
      case GUMBO_TAG_TH:
        return writer_.cell();
      case GUMBO_TAG_H1:
        return writer_.begin_heading(heading_level(element));
      default:
        return writer_.line();
    }
  }

  void leave(const GumboNode& node) {
    const GumboTag tag = node.v.element.tag;
    articles_ -= is_article(tag) ? 1 : 0;
    preformatted_ -= tag == GUMBO_TAG_PRE ? 1 : 0;
    if (tag == GUMBO_TAG_TR) return writer_.end_row();
    if (tag == GUMBO_TAG_H1) return writer_.end_heading();
    writer_.line();
    if (tag == GUMBO_TAG_LI) writer_.end_item();
  }

  Writer writer_;
  std::vector<Step> path_;
  int articles_ = 0;  // The number of open articles.
  int preformatted_ = 0;
};

}  // namespace

std::string html_text(std::string_view html, std::vector<HeadingMark>* headings) {
  const std::string page = filter_html(html);
  GumboOptions options = kGumboDefaultOptions;
  options.max_errors = 0;
  const auto destroy = [&](GumboOutput* output) { gumbo_destroy_output(&options, output); };
  const std::unique_ptr<GumboOutput, decltype(destroy)> output(
      gumbo_parse_with_options(&options, page.data(), page.size()), destroy);
  Walker walker;
  std::string text = walker.walk(output->root);
  if (headings != nullptr) *headings = walker.take_headings();
  return text;
}

std::string html_title(std::string_view html) {
  constexpr size_t kHead = size_t{64} << 10;
  const std::string_view head = html.substr(0, kHead);
  for (size_t at = 0; (at = head.find('<', at)) != std::string_view::npos;) {
    const std::optional<HtmlTag> tag = parse_html_tag(head.substr(at));
    at += tag ? tag->size : 1;
    if (!tag || tag->closes || tag->name != "title") continue;
    const std::string_view rest = head.substr(at);
    std::string title = html_text(rest.substr(0, html_raw_text_size(rest, "title")));
    while (title.ends_with('\n')) title.pop_back();
    return title;
  }
  return "";
}

}  // namespace tinyllm::documents
