#include <tinyllm/runtime/documents/text_reader.h>

#include <tinyllm/runtime/documents/characters.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace tinyllm::documents {
namespace {

using Kind = Paragraph::Kind;

constexpr size_t kNone = std::string_view::npos;

struct Line {
  std::string_view text;  // Without its end.
  int64_t columns = 0;    // A Chinese character has two.
};

// Chinese characters and full-width signs, which stand without blanks.
bool is_wide(char32_t c) { return c >= 0x2E80; }

char32_t first_of(std::string_view text) {
  size_t at = 0;
  return text.empty() ? 0 : next_character(text, at);
}

char32_t last_of(std::string_view text) {
  size_t at = text.size();
  while (at > 0 && continues_character(text[at - 1])) --at;
  return at == 0 ? 0 : first_of(text.substr(at - 1));
}

bool ends_sentence(std::string_view line) {
  constexpr std::u32string_view kEnds = U"。！？；：…”’」』》）.!?;:\")";
  return kEnds.find(last_of(line)) != std::u32string_view::npos;
}

int64_t columns_of(std::string_view line) {
  int64_t columns = 0;
  for (size_t at = 0; at < line.size();) columns += is_wide(next_character(line, at)) ? 2 : 1;
  return columns;
}

// Whether a line begins a paragraph whatever the line before it: it is indented, or an item of a list.
bool begins_paragraph(std::string_view line) {
  constexpr std::array<std::string_view, 10> kFronts = {" ", "\t", "\u3000", "- ", "* ", "+ ", "•", "（", "(", "第"};
  if (std::any_of(kFronts.begin(), kFronts.end(), [&](std::string_view front) { return line.starts_with(front); })) {
    return true;
  }
  const size_t digits = line.find_first_not_of("0123456789");
  return digits != kNone && digits > 0 && digits <= 3 && std::string_view(".):").find(line[digits]) != kNone;
}

// Whether a program broke these lines at a width: one ends within a sentence, and all but the last are about as wide as
// the widest, or followed by a new paragraph.
bool is_wrapped(const Line* begin, const Line* end) {
  constexpr int64_t kNarrowest = 30;
  constexpr int64_t kWidest = 120;
  int64_t widest = 0;
  for (const Line* line = begin; line < end; ++line) widest = std::max(widest, line->columns);
  if (end - begin < 2 || widest < kNarrowest || widest > kWidest) return false;
  bool breaks_sentence = false;
  for (const Line* line = begin; line + 1 < end; ++line) {
    if (begins_paragraph(line[1].text)) continue;
    if (5 * line->columns < 3 * widest) return false;
    breaks_sentence |= !ends_sentence(line->text);
  }
  return breaks_sentence;
}

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of("\r\n\f", at), text.size());
    std::string_view line = text.substr(at, end - at);
    line.remove_suffix(line.size() - std::min(line.size(), line.find_last_not_of(" \t") + 1));
    if (!line.empty() || lines.empty() || !lines.back().text.empty()) lines.push_back({line, columns_of(line)});
    at = end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
  }
  return lines;
}

size_t count_numerals(std::string_view text) {
  constexpr std::u32string_view kNumerals = U"0123456789０１２３４５６７８９零〇一二三四五六七八九十百千两";
  size_t end = 0;
  for (size_t at = 0; at < text.size(); end = at) {
    if (kNumerals.find(next_character(text, at)) == std::u32string_view::npos) break;
  }
  return end;
}

}  // namespace

int chapter_level(std::string_view line) {
  constexpr int64_t kLongest = 40;
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  while (line.starts_with("\u3000")) line.remove_prefix(3);
  if (line.size() > 4 * kLongest || count_of_characters(line) > kLongest || ends_sentence(line)) return 0;
  const bool is_english = line.starts_with("Chapter ") || line.starts_with("CHAPTER ");
  if (is_english) return line.size() > 8 && std::string_view("123456789IVXL").find(line[8]) != kNone ? 2 : 0;
  constexpr std::string_view kOrdinal = "第";
  if (!line.starts_with(kOrdinal)) return 0;
  line.remove_prefix(kOrdinal.size());
  const size_t numerals = count_numerals(line);
  if (numerals == 0 || numerals == line.size()) return 0;
  size_t after = numerals;
  const char32_t unit = next_character(line, after);
  // "第一章节" and "第二部分内容如下" are parts of sentences.
  const char32_t next = first_of(line.substr(after));
  if (next != 0 && next != ' ' && next != '\t' && next != U'\u3000' && next != U'：' && next != ':') return 0;
  if (unit == U'卷' || unit == U'部' || unit == U'篇') return 1;
  if (unit == U'章' || unit == U'回') return 2;
  return unit == U'节' ? 3 : 0;
}

void append_line(std::string_view line, int page, int64_t source, DocumentWriter& out) {
  const char32_t before = last_of(out.paragraph());
  if (before != 0 && !(is_wide(before) && is_wide(first_of(line)))) out.append(" ", page, source < 0 ? -1 : source - 1);
  out.append(line, page, source);
}

void read_lines(std::string_view text, int64_t source, std::span<const HeadingMark> headings,
                const LineOptions& options, DocumentWriter& out) {
  const std::vector<Line> lines = lines_of(text);
  const auto offset_of = [&](const Line& line) { return static_cast<size_t>(line.text.data() - text.data()); };
  const auto level_of = [&](const Line& line) {
    const size_t at = offset_of(line);
    while (!headings.empty() && headings.front().offset < at) headings = headings.subspan(1);
    if (!headings.empty() && headings.front().offset == at) return headings.front().level;
    return options.finds_chapters ? chapter_level(line.text) : 0;
  };
  for (size_t from = 0, to = 0; from < lines.size(); from = to) {
    to = from + 1;
    if (lines[from].text.empty()) continue;
    while (to < lines.size() && !lines[to].text.empty()) ++to;
    const bool joins = options.joins && is_wrapped(lines.data() + from, lines.data() + to);
    bool may_continue = false;
    for (size_t i = from; i < to; ++i) {
      const std::string_view line = lines[i].text;
      const int level = level_of(lines[i]);
      const bool is_row = line.find('\t', line.find_first_not_of(" \t")) != kNone;
      const bool continues = may_continue && level == 0 && !is_row && !begins_paragraph(line);
      if (!continues) out.begin(level > 0 ? Kind::heading : is_row ? Kind::row : Kind::text, level);
      append_line(line, 0, source < 0 ? -1 : source + static_cast<int64_t>(offset_of(lines[i])), out);
      may_continue = joins && level == 0 && !is_row;
    }
  }
  out.end();
}

}  // namespace tinyllm::documents
