#include <tinyllm/runtime/documents/bbox_layout.h>

#include <tinyllm/runtime/documents/xml.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tinyllm::documents {
namespace {

double number(std::span<const XmlAttribute> attributes, std::string_view name) {
  const std::string_view text = attribute(attributes, name);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::isfinite(value) ? std::clamp(value, -1e6, 1e6) : 0;
}

bool is_wide(char32_t c) { return c >= 0x2E80; }

bool joins_wide(std::string_view before, std::string_view after) {
  size_t last = before.size();
  while (last > 0 && continues_character(before[--last])) {
  }
  size_t first = 0;
  return is_wide(next_character(before, last)) || is_wide(next_character(after, first));
}

class Reader : public XmlHandler {
 public:
  void begin(std::string_view name, std::span<const XmlAttribute> attributes) override {
    constexpr size_t kMostPages = 100000;
    text_.clear();
    if (name == "page") {
      begins_line_ = true;
      layout_.pages.push_back({number(attributes, "width"), number(attributes, "height"), {}});
      if (layout_.pages.size() > kMostPages) throw Error("has more than {} pages, which is the limit", kMostPages);
    } else if (name == "block") {
      ++block_;
    } else if (name == "line") {
      begins_line_ = true;
    } else if (name == "word") {
      box_ = {number(attributes, "xMin"),
              number(attributes, "yMin"),
              number(attributes, "xMax"),
              number(attributes, "yMax"),
              "",
              block_};
    }
  }

  void end(std::string_view name) override {
    if (name == "word") word();
    if (name == "title") layout_.title = text_;
    text_.clear();
  }

  void text(std::string_view text) override { text_ += text; }

  PageLayout take() { return std::move(layout_); }

 private:
  void word() {
    if (layout_.pages.empty() || text_.empty()) return;
    constexpr double kCell = 2;  // Gaps, in heights of the line. Justified text has smaller ones.
    constexpr double kBlank = 0.3;
    std::vector<PageLine>& lines = layout_.pages.back().lines;
    const double gap = begins_line_ ? 0 : box_.left - lines.back().right;
    if (begins_line_ || gap > kCell * box_.height()) {
      box_.text = text_;
      lines.push_back(box_);
      begins_line_ = false;
      return;
    }
    PageLine& line = lines.back();
    if (gap > kBlank * box_.height() || !joins_wide(line.text, text_)) line.text += ' ';
    line.text += text_;
    line.top = std::min(line.top, box_.top);
    line.right = std::max(line.right, box_.right);
    line.bottom = std::max(line.bottom, box_.bottom);
  }

  PageLayout layout_;
  std::string text_;
  PageLine box_;
  int block_ = 0;
  bool begins_line_ = true;
};

// Characters that XML does not allow, which the fonts of some files lead to, become U+FFFD.
std::string readable(std::string_view xml) {
  std::string text = replace_invalid_utf8(xml);
  std::string clean;
  size_t kept = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t from = at;
    const char32_t c = next_character(text, at);
    if ((c >= 0x20 && c != 0xFFFE && c != 0xFFFF) || c == '\t' || c == '\n' || c == '\r') continue;
    clean.append(text, kept, from - kept).append("\xEF\xBF\xBD");
    kept = at;
  }
  if (kept == 0) return text;
  return clean.append(text, kept);
}

}  // namespace

PageLayout read_bbox_layout(std::string_view xml) {
  Reader reader;
  read_xml(readable(xml), XmlKind::tolerant, reader);
  return reader.take();
}

}  // namespace tinyllm::documents
