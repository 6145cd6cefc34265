#include <tinyllm/train/corpus/clean.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/front_matter.h>
#include <tinyllm/runtime/documents/html.h>
#include <tinyllm/runtime/documents/html_sniff.h>
#include <tinyllm/runtime/documents/markdown.h>
#include <tinyllm/runtime/documents/sentences.h>
#include <tinyllm/train/corpus/code_lines.h>
#include <tinyllm/train/corpus/json_lines.h>
#include <tinyllm/train/corpus/lines.h>
#include <tinyllm/train/corpus/rules.h>
#include <tinyllm/train/data/documents.h>

#include <xxhash.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace tinyllm::corpus {

using namespace documents;
namespace {

// The position of the next `<br>`, `<br/>` or `<br />` from `at` on, except in quotes, where the text is about it. Sets
// its size.
size_t find_break_tag(std::string_view line, size_t at, size_t& size) {
  for (at = line.find('<', at); at != std::string_view::npos; at = line.find('<', at + 1)) {
    const std::string_view rest = line.substr(at);
    if (rest.size() < 4 || lower_case(rest[1]) != 'b' || lower_case(rest[2]) != 'r') continue;
    const size_t end = std::min(rest.find_first_not_of(' ', 3), rest.size());
    size = rest.substr(end).starts_with("/>") ? end + 2 : rest.substr(end).starts_with(">") ? end + 1 : 0;
    const std::string_view after = rest.substr(size);
    const bool is_quoted = std::string_view("`\"'").find(after.empty() ? 'x' : after[0]) != std::string_view::npos ||
                           after.starts_with("”") || after.starts_with("」") || after.starts_with("’");
    if (size > 0 && !is_quoted) return at;
  }
  return std::string_view::npos;
}

std::string_view without_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

// Cleans the documents of one piece, one after the other.
class DocumentCleaner {
 public:
  DocumentCleaner(const CleanOptions& options, const ParagraphRules& rules, CleanPiece& piece)
      : options_(options), rules_(rules), piece_(piece) {}

  void begin(int64_t line, bool opens) {
    document_ = {};
    document_.line = line;
    document_.opens = opens;
    begin_ = piece_.text.size();
    first_dropped_ = piece_.dropped.size();
  }

  void line(std::string_view raw, int64_t number, bool is_code) {
    const size_t start = piece_.text.size();
    if (is_code) piece_.text += indentation(raw);
    const size_t words = piece_.text.size();
    NormaliseCounts counts;
    normalise(raw, options_.width, piece_.text, counts, piece_.format == TextFormat::json_lines);
    piece_.normalised += counts;
    if (piece_.text.size() == words) {
      piece_.text.resize(start);
      if (counts.undecodable == 0) return;
    }
    if (options_.mask.any()) {
      const std::string masked = mask(std::string_view(piece_.text).substr(start), options_.mask, piece_.masked);
      piece_.text.replace(start, std::string::npos, masked);
    }
    if (!split(start, number, counts.undecodable)) paragraph(start, number, counts.undecodable, raw);
  }

  // The same of a text with tags of HTML: a line ends at <br> too.
  void line_with_breaks(std::string_view raw, int64_t number, bool is_code) {
    size_t size = 0;
    for (size_t at = find_break_tag(raw, 0, size); at != std::string_view::npos; at = find_break_tag(raw, 0, size)) {
      line(raw.substr(0, at), number, is_code);
      raw.remove_prefix(at + size);
    }
    line(raw, number, is_code);
  }

  void end(bool closes) {
    document_.closes = closes;
    if (closes) ++piece_.documents_read;
    const bool whole = document_.opens && closes;
    if (is_poor()) {
      drop_rest(kRulePoorDocument);
    } else if (whole && count_of_characters(text()) - std::ssize(document_.paragraphs) < options_.min_document) {
      drop_rest(kRuleShortDocument);
    }
    document_.hash = XXH3_64bits(text().data(), text().size());
    sign();
    piece_.documents.push_back(std::move(document_));
  }

 private:
  std::string_view text() const { return std::string_view(piece_.text).substr(begin_); }
  std::string_view text(const CleanParagraph& p) const { return std::string_view(piece_.text).substr(p.begin, p.size); }

  void drop(std::string_view rule, int64_t number, std::string text) {
    piece_.dropped.push_back({rule, number, std::move(text)});
  }

  // Judges the paragraph that begins at `start` in the piece's text. If characters were lost, the raw line is reported
  // as dropped.
  void paragraph(size_t start, int64_t number, int64_t undecodable, std::string_view raw) {
    ++piece_.paragraphs_read;
    const std::string_view normal = std::string_view(piece_.text).substr(start);
    if (const auto rule = rules_.judge(normal, undecodable)) {
      drop(*rule, number, std::string(undecodable > 0 ? raw : normal));
      piece_.text.resize(start);
      return;
    }
    document_.paragraphs.push_back({start, normal.size(), number, XXH3_64bits(normal.data(), normal.size())});
    piece_.text += '\n';
  }

  // Cuts the line that begins at `start` into paragraphs when it is too long for one.
  bool split(size_t start, int64_t number, int64_t undecodable) {
    const int64_t most = options_.paragraphs.max_characters;
    if (std::ssize(piece_.text) - static_cast<int64_t>(start) <= most) return false;
    if (count_of_characters(std::string_view(piece_.text).substr(start)) <= most) return false;
    const std::string whole = piece_.text.substr(start);
    if (rules_.judge(whole, undecodable) != kRuleTooLong)
      return false;  // Too many characters were lost, so it is not cut.
    piece_.text.resize(start);
    std::string_view rest = whole;
    while (!rest.empty()) {
      const size_t cut = sentence_cut(rest, most);
      const size_t part = piece_.text.size();
      piece_.text += without_blanks(rest.substr(0, cut));
      if (piece_.text.size() > part) paragraph(part, number, 0, {});
      rest.remove_prefix(cut);
    }
    return true;
  }

  // Whether most of the document was not prose. The rest is then dropped too.
  bool is_poor() const {
    size_t dropped = 0;
    for (size_t i = first_dropped_; i < piece_.dropped.size(); ++i) {
      const std::string_view rule = piece_.dropped[i].rule;
      const bool no_prose = rule == kRuleSymbols || rule == kRuleRepetitive || rule == kRuleBoilerplate;
      if (no_prose) dropped += piece_.dropped[i].text.size();
    }
    const auto all = static_cast<double>(dropped + text().size());
    return options_.max_dropped < 1 && !text().empty() && static_cast<double>(dropped) > options_.max_dropped * all;
  }

  void drop_rest(std::string_view rule) {
    if (document_.paragraphs.empty() && piece_.dropped.size() == first_dropped_) drop(rule, document_.line, "");
    for (const CleanParagraph& p : document_.paragraphs) drop(rule, p.line, std::string(text(p)));
    document_.paragraphs.clear();
    piece_.text.resize(begin_);
  }

  void sign() {
    if (document_.paragraphs.empty()) return;
    if (options_.near == NearUnit::documents) document_.minhashes.emplace_back(minhash(text()));
    if (options_.near != NearUnit::paragraphs) return;
    for (const CleanParagraph& p : document_.paragraphs) {
      const bool is_long = count_of_characters(text(p)) >= options_.min_near_paragraph;
      document_.minhashes.push_back(is_long ? std::optional(minhash(text(p))) : std::nullopt);
    }
  }

  const CleanOptions& options_;
  const ParagraphRules& rules_;
  CleanPiece& piece_;
  CleanDocument document_;
  size_t begin_ = 0;          // Of the document in the piece's text.
  size_t first_dropped_ = 0;  // Of the document's own.
};

// Calls `line(text, ends, is_code)` for each line.
template <class Line>
void for_each_line_or_code(std::string_view text, Line line) {
  const std::vector<bool> code = code_lines(text);
  size_t index = 0;
  for_each_line(text, [&](std::string_view raw, bool ends) {
    line(raw, ends, !code.empty() && code[index]);
    ++index;
  });
}

// The documents of a piece of JSON lines.
void clean_json(Piece& piece, const std::vector<std::string>& fields, DocumentCleaner& cleaner, CleanPiece& clean) {
  clean.markup = clean.bytes_read;
  const auto bad = [&](std::string_view rule, int64_t number, std::string_view line) {
    clean.markup -= std::ssize(line);
    clean.dropped.push_back({rule, number, std::string(line)});
  };
  if (piece.opens_in_line || piece.closes_in_line) return bad(kRuleTooLong, piece.line, piece.text);
  read_json_lines(piece.text, piece.line, fields, bad, [&](std::string_view field, int64_t number) {
    std::string text(field);
    remove_front_matter(text, true);
    if (begins_as_html(text) || looks_like_html(text)) text = html_text(text);
    clean.markup -= std::ssize(text) + 1;  // The line feed belongs to a paragraph.
    cleaner.begin(number, true);
    for_each_line_or_code(
        text, [&](std::string_view line, bool, bool is_code) { cleaner.line_with_breaks(line, number, is_code); });
    cleaner.end(true);
  });
}

// Turns a page into its text.
void read_page(Piece& piece) {
  if (piece.format == TextFormat::html) {
    piece.text = html_text(without_cut_beginning(piece.text));
    return;
  }
  remove_front_matter(piece.text, piece.opens_document);
  if (piece.format == TextFormat::markdown) piece.text = markdown_text(piece.text);
}

}  // namespace

CleanPiece Cleaner::clean(Piece piece) const {
  CleanPiece clean;
  clean.file = piece.file;
  clean.format = piece.format;
  clean.encoding = piece.encoding;
  clean.bytes_read = std::ssize(piece.text);
  clean.consumed = piece.consumed;
  clean.problem = piece.problem;
  clean.why = piece.why;
  clean.text.reserve(piece.text.size());
  DocumentCleaner cleaner(options_, rules_, clean);
  if (piece.format == TextFormat::json_lines) {
    clean_json(piece, options_.fields, cleaner, clean);
    return clean;
  }
  if (piece.opens_document && piece.text.empty() && !piece.problem.empty())
    return clean;  // There is only the problem to report.
  const bool is_page = piece.format != TextFormat::text;
  read_page(piece);
  clean.markup = clean.bytes_read - std::ssize(piece.text);
  int64_t number = piece.line;
  cleaner.begin(number, piece.opens_document);
  for_each_line_or_code(piece.text, [&](std::string_view line, bool ends, bool is_code) {
    if (is_document_break(line)) {
      cleaner.end(true);
      cleaner.begin(number + 1, true);
    } else if (is_page) {
      cleaner.line(line, number, is_code);
    } else {
      cleaner.line_with_breaks(line, number, is_code);
    }
    if (ends && !is_page) ++number;  // The lines of a page are gone.
  });
  cleaner.end(piece.closes_document);
  return clean;
}

}  // namespace tinyllm::corpus
