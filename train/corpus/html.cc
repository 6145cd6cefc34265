#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/corpus/html.h>

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace tinyllm {
namespace {

// Sorted, for std::binary_search.
constexpr std::array<std::string_view, 33> kLeftOut = {
    "applet",   "aside",    "audio",    "button",   "canvas", "datalist", "dialog",   "embed",  "footer",
    "frameset", "head",     "iframe",   "input",    "label",  "map",      "menu",     "meter",  "nav",
    "noembed",  "noframes", "noscript", "object",   "option", "picture",  "progress", "script", "select",
    "style",    "svg",      "template", "textarea", "title",  "video"};
constexpr std::array<std::string_view, 43> kBlocks = {
    "address", "article", "blockquote", "body",       "br",     "caption", "center", "dd",   "details", "dir", "div",
    "dl",      "dt",      "fieldset",   "figcaption", "figure", "form",    "h1",     "h2",   "h3",      "h4",  "h5",
    "h6",      "header",  "hgroup",     "hr",         "html",   "legend",  "li",     "main", "ol",      "p",   "pre",
    "search",  "section", "summary",    "table",      "tbody",  "tfoot",   "thead",  "tr",   "ul",      "xmp"};
static_assert(std::is_sorted(kLeftOut.begin(), kLeftOut.end()) && std::is_sorted(kBlocks.begin(), kBlocks.end()));

template <size_t kSize>
bool is_one_of(const std::array<std::string_view, kSize>& names, std::string_view name) {
  return std::binary_search(names.begin(), names.end(), name);
}

std::string_view view(const xmlChar* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }

// Whether the attributes, names and values in turn, say that an element is not to be seen or not part of the text.
bool is_hidden(const xmlChar** attributes) {
  for (; attributes != nullptr && attributes[0] != nullptr; attributes += 2) {
    const std::string_view name = view(attributes[0]);
    const std::string_view value = view(attributes[1]);
    if (name == "hidden") return true;
    if (name == "aria-hidden" && value == "true") return true;
    if (name == "role" && (value == "navigation" || value == "banner" || value == "contentinfo" ||
                           value == "complementary" || value == "search")) {
      return true;
    }
  }
  return false;
}

// From U+3000 on characters stand without blanks: kana, Chinese characters and full-width signs.
bool is_wide_first(char lead) { return static_cast<unsigned char>(lead) >= 0xE3; }
bool ends_wide(std::string_view text) {
  return text.size() >= 3 && (text.back() & 0xC0) == 0x80 && is_wide_first(text[text.size() - 3]);
}

// Puts the text of a page together: blanks shrink to one, and lines break where blocks begin and end.
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

  void line() {
    blank_ = line_feed_ = false;
    while (text_.ends_with(' ') || text_.ends_with('\t')) text_.pop_back();
    if (!begins_line()) text_ += '\n';
  }

  void cell() {
    if (begins_line()) return;
    blank_ = line_feed_ = false;
    text_ += '\t';
  }

  // An item without words leaves no mark.
  void begin_item() {
    line();
    is_item_ = true;
  }
  void end_item() { is_item_ = false; }

  std::string take() {
    line();
    return std::move(text_);
  }

 private:
  static constexpr std::string_view kNoBreak = "\xC2\xA0";  // U+00A0.

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
};

// What the parser calls with the tags and text that it finds.
class Page {
 public:
  // The parser searches all open elements at some closing tags. Deeper ones than this are not told to it.
  static constexpr int kDeepest = 2000;

  void open(std::string_view name, const xmlChar** attributes) {
    ++depth_;
    if (left_out_from_ == 0 && is_left_out(name, attributes)) left_out_from_ = depth_;
    if (left_out_from_ != 0) return;
    if (name == "li") {
      writer_.begin_item();
    } else if (name == "td" || name == "th") {
      writer_.cell();
    } else if (is_one_of(kBlocks, name)) {
      writer_.line();
    }
    articles_ += is_article(name) ? 1 : 0;
    preformatted_ += name == "pre" ? 1 : 0;
  }

  void close(std::string_view name) {
    if (left_out_from_ == 0) {
      articles_ -= is_article(name) ? 1 : 0;
      preformatted_ -= name == "pre" ? 1 : 0;
      if (is_one_of(kBlocks, name)) writer_.line();
      if (name == "li") writer_.end_item();
    } else if (left_out_from_ == depth_) {
      left_out_from_ = 0;
    }
    --depth_;
  }

  void text(std::string_view text) {
    if (left_out_from_ != 0) return;
    if (preformatted_ > 0) {
      writer_.preformatted(text);
    } else {
      writer_.text(text);
    }
  }

  bool is_too_deep() const { return depth_ >= kDeepest; }
  std::string take() { return writer_.take(); }

 private:
  static bool is_article(std::string_view name) { return name == "article" || name == "main"; }
  bool is_left_out(std::string_view name, const xmlChar** attributes) const {
    return is_one_of(kLeftOut, name) || (name == "header" && articles_ == 0) || is_hidden(attributes);
  }

  Writer writer_;
  int depth_ = 0;
  int left_out_from_ = 0;  // The depth of the element that is left out; 0 outside of one.
  int articles_ = 0;       // How many we are in.
  int preformatted_ = 0;
};

// One run of the parser, which ends where elements lie too deep in one another.
class Parser {
 public:
  Parser(Page& page, std::string_view html)
      : page_(page),
        html_(html.substr(0, std::numeric_limits<int>::max())),
        context_(htmlCreateMemoryParserCtxt(html_.data(), static_cast<int>(html_.size()))) {
    if (context_ == nullptr) throw Error("html: libxml2 has no memory for a parser");
    htmlSAXHandler& calls = *context_->sax;
    calls = {};
    calls.startElement = [](void* self, const xmlChar* name, const xmlChar** attributes) {
      static_cast<Parser*>(self)->open(view(name), attributes);
    };
    calls.endElement = [](void* self, const xmlChar* name) {
      auto& parser = *static_cast<Parser*>(self);
      if (!parser.stopped_at_) parser.page_.close(view(name));
    };
    calls.characters = [](void* self, const xmlChar* text, int size) {
      auto& parser = *static_cast<Parser*>(self);
      if (!parser.stopped_at_) parser.page_.text(view(text).substr(0, static_cast<size_t>(size)));
    };
    calls.ignorableWhitespace = calls.characters;
    context_->userData = this;
    htmlCtxtUseOptions(context_.get(), HTML_PARSE_IGNORE_ENC | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);
  }

  // Returns how much of the page was read.
  size_t parse() {
    xmlSwitchEncoding(context_.get(), XML_CHAR_ENCODING_UTF8);
    htmlParseDocument(context_.get());
    if (!stopped_at_) return html_.size();
    const size_t end = html_.find('>', *stopped_at_);  // The tag was read but for this.
    return end == std::string_view::npos ? html_.size() : end + 1;
  }

 private:
  struct Free {
    void operator()(htmlParserCtxtPtr context) const { htmlFreeParserCtxt(context); }
  };

  void open(std::string_view name, const xmlChar** attributes) {
    if (stopped_at_) return;
    page_.open(name, attributes);
    if (!page_.is_too_deep()) return;
    stopped_at_ = static_cast<size_t>(xmlByteConsumed(context_.get()));
    xmlStopParser(context_.get());
  }

  Page& page_;
  std::string_view html_;
  std::unique_ptr<htmlParserCtxt, Free> context_;
  std::optional<size_t> stopped_at_;
};

}  // namespace

std::string html_text(std::string_view html) {
  static const bool kIsReady = (xmlInitParser(), true);  // Before there are threads in it.
  static_cast<void>(kIsReady);
  std::string clean;
  if (html.find('\0') != std::string_view::npos) {  // The parser would end there.
    std::remove_copy(html.begin(), html.end(), std::back_inserter(clean), '\0');
    html = clean;
  }
  std::string text;
  while (!html.empty()) {
    Page page;
    html.remove_prefix(Parser(page, html).parse());
    text += page.take();
  }
  return text;
}

}  // namespace tinyllm
