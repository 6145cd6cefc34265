#include <tinyllm/runtime/documents/document_writer.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm::documents {
namespace {

// Characters that nobody sees: control characters, soft hyphens, zero-width blanks, marks of direction and of byte
// order.
bool is_invisible(char32_t c) {
  return (c < ' ' && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x200B ||
         c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || c == 0x2060 || c == 0xFEFF;
}

bool is_blank(char32_t c) { return c == ' ' || c == '\t' || c == 0xA0 || c == 0x3000; }

}  // namespace

void DocumentWriter::begin(Paragraph::Kind kind, int level) {
  end();
  std::string& text = document_.text;
  current_ = {text.size(), 0, kind, level};
  is_open_ = true;
}

std::string_view DocumentWriter::paragraph() const { return std::string_view(document_.text).substr(current_.offset); }

void DocumentWriter::append(std::string_view text, int page, int64_t source) {
  if (!is_open_) throw Error("document writer: text outside of a paragraph");
  size_t kept = 0;  // Up to here the text is written.
  for (size_t at = 0; at < text.size();) {
    const size_t from = at;
    const char32_t c = next_character(text, at);
    const bool is_line_end = c == '\n' || c == '\r';
    const bool is_leading = (is_line_end || is_blank(c)) && document_.text.size() == current_.offset && kept == from;
    if (!is_line_end && !is_leading && !is_invisible(c)) continue;
    copy(text.substr(kept, from - kept), page, source < 0 ? -1 : source + static_cast<int64_t>(kept));
    if (is_line_end && !is_leading) copy(" ", page, source < 0 ? -1 : source + static_cast<int64_t>(from));
    kept = at;
  }
  copy(text.substr(kept), page, source < 0 ? -1 : source + static_cast<int64_t>(kept));
}

void DocumentWriter::copy(std::string_view text, int page, int64_t source) {
  if (text.empty()) return;
  std::string& all = document_.text;
  if (all.size() + text.size() > most_bytes_) {
    throw Error("has more than {} MB of text, which is the limit", most_bytes_ >> 20);
  }
  if (document_.places.empty()) {
    document_.places.push_back({0, page, source});
  } else {
    const Place& last = document_.places.back();
    const int64_t next = last.source < 0 ? -1 : last.source + static_cast<int64_t>(all.size() - last.offset);
    if (page != last.page || source != next) document_.places.push_back({all.size(), page, source});
  }
  all += text;
}

void DocumentWriter::truncate(size_t size) {
  document_.text.resize(size);
  while (!document_.places.empty() && document_.places.back().offset >= size) document_.places.pop_back();
}

void DocumentWriter::remove_last(size_t bytes) {
  truncate(document_.text.size() - std::min(bytes, paragraph().size()));
}

void DocumentWriter::end() {
  if (!is_open_) return;
  is_open_ = false;
  std::string& text = document_.text;
  size_t size = text.size();
  while (size > current_.offset) {
    size_t last = size - 1;
    while (last > current_.offset && continues_character(text[last])) --last;
    size_t at = last;
    if (!is_blank(next_character(text, at))) break;
    size = last;
  }
  truncate(size);
  current_.length = size - current_.offset;
  if (current_.length == 0) return;
  // A heading is kept with everything below it.
  constexpr int64_t kLongestHeading = 200;
  if (current_.kind == Paragraph::Kind::heading &&
      count_of_characters(paragraph().substr(0, current_.length)) > kLongestHeading) {
    current_.kind = Paragraph::Kind::text;
    current_.level = 0;
  }
  document_.paragraphs.push_back(current_);
  text += '\n';
}

}  // namespace tinyllm::documents
