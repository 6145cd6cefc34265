#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/page_furniture.h>
#include <tinyllm/runtime/documents/pdf_reader.h>
#include <tinyllm/runtime/documents/text_reader.h>
#include <tinyllm/tensor/base/utf8.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace tinyllm::documents {
namespace {

using Kind = Paragraph::Kind;

bool is_unknown(char32_t c) { return c == 0xFFFD || (c >= 0xE000 && c <= 0xF8FF) || c >= 0xF0000; }

bool is_unreadable(const Page& page) {
  int64_t unknown = 0;
  int64_t all = 0;
  for (const PageLine& line : page.lines) {
    for (size_t at = 0; at < line.text.size(); ++all) unknown += is_unknown(next_character(line.text, at)) ? 1 : 0;
  }
  return 20 * unknown > all || all == 0;
}

// "3", "3-5, 9".
std::string ranges_of(const std::vector<int>& pages) {
  std::string text;
  for (size_t from = 0, to = 0; from < pages.size(); from = to) {
    while (to < pages.size() && pages[to] - pages[from] == static_cast<int>(to - from)) ++to;
    text += from == 0 ? "" : ", ";
    text += to - from == 1 ? fmt::format("{}", pages[from]) : fmt::format("{}-{}", pages[from], pages[to - 1]);
  }
  return text;
}

// Heights of letters, in half points.
int64_t size_of(const PageLine& line) { return std::llround(2 * line.height()); }

// The levels of headings by the size of their letters.
class Sizes {
 public:
  explicit Sizes(const std::vector<Page>& pages) {
    std::map<int64_t, int64_t> characters;
    int64_t all = 0;
    for (const Page& page : pages) {
      for (const PageLine& line : page.lines) {
        const int64_t count = count_of_characters(line.text);
        characters[size_of(line)] += count;
        all += count;
      }
    }
    int64_t before = 0;
    for (const auto& [size, count] : characters) {
      before += count;
      if (2 * before >= all && body_ == 0) body_ = size;
      if (body_ > 0 && 5 * size >= 6 * body_) larger_.insert(size);
    }
  }

  int level(int64_t size) const {
    const auto found = larger_.find(size);
    if (found == larger_.end()) return 0;
    return std::min(6, 1 + static_cast<int>(std::distance(larger_.begin(), found)));
  }

 private:
  int64_t body_ = 0;
  std::set<int64_t, std::greater<>> larger_;
};

bool ends_sentence(std::string_view text) {
  constexpr std::u32string_view kEnds = U"。！？；：…”」』.!?;:";
  size_t last = text.size();
  while (last > 0 && continues_character(text[--last])) {
  }
  return !text.empty() && kEnds.find(next_character(text, last)) != std::u32string_view::npos;
}

bool is_small(char c) { return c >= 'a' && c <= 'z'; }

bool is_bullet(std::string_view text) {
  constexpr std::string_view kBullets[] = {"•", "·", "-", "–", "◦", "▪", "■", "●", "○"};
  return std::find(std::begin(kBullets), std::end(kBullets), text) != std::end(kBullets);
}

class PageWriter {
 public:
  PageWriter(const Sizes& sizes, DocumentWriter& out) : sizes_(sizes), out_(out) {}

  void write(const Page& page, int number) {
    number_ = number;
    const std::vector<int> rows = table_rows(page);
    find_columns(page);
    std::set<int> written;
    for (size_t i = 0; i < page.lines.size(); ++i) {
      if (rows[i] < 0) {
        line(page.lines[i]);
      } else if (written.insert(rows[i]).second) {
        row(page, rows, rows[i]);
      }
    }
  }

 private:
  struct Column {
    double left = 1e9;
    double right = -1e9;
  };

  // The extent of each block.
  void find_columns(const Page& page) {
    columns_.clear();
    for (const PageLine& line : page.lines) {
      Column& column = columns_[line.block];
      column.left = std::min(column.left, line.left);
      column.right = std::max(column.right, line.right);
    }
  }

  void row(const Page& page, const std::vector<int>& rows, int row) {
    std::vector<const PageLine*> cells;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] == row) cells.push_back(&page.lines[i]);
    }
    std::stable_sort(cells.begin(), cells.end(),
                     [](const PageLine* a, const PageLine* b) { return a->left < b->left; });
    out_.begin(Kind::row);
    for (const PageLine* cell : cells) {
      if (cell != cells.front()) out_.append("\t", number_);
      out_.append(cell->text, number_);
    }
    last_ = {};
  }

  void line(const PageLine& line) {
    int level = count_of_characters(line.text) <= kLongestHeading ? sizes_.level(size_of(line)) : 0;
    if (level == 0) level = chapter_level(line.text);
    const Column& column = columns_[line.block];
    if (!continues(line, column, level)) {
      out_.begin(level > 0 ? Kind::heading : Kind::text, level);
      out_.append(line.text, number_);
    } else if (is_hyphenated(out_.paragraph()) && is_small(line.text[0])) {
      out_.remove_last(1);
      out_.append(line.text, number_);
    } else {
      append_line(line.text, number_, -1, out_);
    }
    last_ = {true,
             level,
             line.block,
             size_of(line),
             column.right - line.right < 2 * line.height(),
             ends_sentence(line.text)};
    lines_ = last_.block == block_of_lines_ ? lines_ + 1 : 1;
    block_of_lines_ = line.block;
  }

  static bool is_hyphenated(std::string_view text) {
    return text.size() > 1 && text.back() == '-' && is_small(text[text.size() - 2]);
  }

  // Whether a line belongs to the paragraph of the line before it.
  bool continues(const PageLine& line, const Column& column, int level) const {
    if (!last_.is_there || level != last_.level) return false;
    if (level > 0) return line.block == last_.block && size_of(line) == last_.size && chapter_level(line.text) == 0;
    // A small letter goes on with a sentence, also where lines end unevenly; and an item follows its bullet.
    if (is_bullet(out_.paragraph())) return true;
    if (!last_.ends_sentence && is_small(line.text[0]) && size_of(line) == last_.size) return true;
    const bool is_indented = line.left - column.left > 0.8 * line.height();
    if (line.block == last_.block) return last_.is_full && !is_indented;
    // In the next column or on the next page: where a sentence goes on.
    return last_.is_full && lines_ > 1 && !last_.ends_sentence && !is_indented && size_of(line) == last_.size;
  }

  static constexpr int64_t kLongestHeading = 80;

  struct Last {
    bool is_there = false;
    int level = 0;
    int block = 0;
    int64_t size = 0;
    bool is_full = false;  // It reaches the right edge of its column.
    bool ends_sentence = false;
  };

  const Sizes& sizes_;
  DocumentWriter& out_;
  int number_ = 0;
  std::map<int, Column> columns_;
  Last last_;
  int lines_ = 0;            // Lines so far
  int block_of_lines_ = -1;  // of this block.
};

// Whether a title is what a program wrote, the name of the file that was printed.
bool is_file_name(std::string_view title) {
  constexpr std::array kExtensions = {".doc", ".docx", ".dvi",  ".htm", ".html", ".indd", ".odt",
                                      ".pdf", ".ppt",  ".pptx", ".ps",  ".qxd",  ".rtf",  ".tex",
                                      ".txt", ".wpd",  ".wps",  ".xls", ".xlsx"};
  const std::string name = lower_case(title);
  return name.starts_with("microsoft word - ") ||
         std::any_of(kExtensions.begin(), kExtensions.end(), [&](auto end) { return name.ends_with(end); });
}

}  // namespace

void write_pages(PageLayout layout, Document& document, DocumentWriter& out) {
  std::vector<Page>& pages = layout.pages;
  document.pages = static_cast<int>(pages.size());
  if (!is_file_name(layout.title)) document.title = layout.title;
  for (std::string& note : remove_furniture(pages)) document.notes.push_back(std::move(note));
  for (size_t i = 0; i < pages.size(); ++i) {
    if (!is_unreadable(pages[i])) continue;
    document.unreadable_pages.push_back(static_cast<int>(i) + 1);
    pages[i].lines.clear();
  }
  if (!document.unreadable_pages.empty()) {
    document.notes.push_back(fmt::format("pages without readable text, which need OCR unless they are empty: {}",
                                         ranges_of(document.unreadable_pages)));
  }
  const Sizes sizes(pages);
  PageWriter writer(sizes, out);
  for (size_t i = 0; i < pages.size(); ++i) writer.write(pages[i], static_cast<int>(i) + 1);
  out.end();
}

}  // namespace tinyllm::documents
