#include <tinyllm/train/corpus/clean.h>

#include <tinyllm/train/corpus/characters.h>
#include <tinyllm/train/corpus/html.h>
#include <tinyllm/train/corpus/json_lines.h>
#include <tinyllm/train/corpus/markdown.h>
#include <tinyllm/train/corpus/rules.h>
#include <tinyllm/train/data/documents.h>

#include <xxhash.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace tinyllm {
namespace {

// Where to cut a text that is longer than `most` characters: behind the last end of a sentence before that.
size_t sentence_cut(std::string_view text, int64_t most) {
  size_t at = 0;
  for (int64_t n = 0; n < most && at < text.size(); ++n) {
    do ++at;
    while (at < text.size() && continues_character(text[at]));
  }
  if (at == text.size()) return at;
  size_t best = 0;
  for (const std::string_view mark : {"。", "！", "？", "”", ". ", "! ", "? "}) {
    const size_t found = text.substr(0, at).rfind(mark);
    if (found != std::string_view::npos) best = std::max(best, found + mark.size());
  }
  return best > 0 ? best : at;
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

  // A line of the document, of which it may be a part.
  void line(std::string_view raw, int64_t number, bool is_part) {
    if (is_part && !options_.split_long) {
      ++piece_.paragraphs_read;
      return drop(kRuleTooLong, number, std::string(raw));
    }
    const size_t start = piece_.text.size();
    NormaliseCounts counts;
    normalise(raw, options_.width, piece_.text, counts);
    piece_.normalised += counts;
    if (piece_.text.size() == start && counts.undecodable == 0) return;
    if (options_.mask.any()) {
      const std::string masked = mask(std::string_view(piece_.text).substr(start), options_.mask, piece_.masked);
      piece_.text.replace(start, std::string::npos, masked);
    }
    if (options_.split_long && split(start, number, counts.undecodable)) return;
    paragraph(start, number, counts.undecodable, raw);
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

  // Judges what stands in the piece's text from `start` on. Where characters were lost, the raw line is what is
  // dropped.
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

  // Cuts the line that stands from `start` on into paragraphs, when it is too long for one.
  bool split(size_t start, int64_t number, int64_t undecodable) {
    const int64_t most = options_.paragraphs.max_characters;
    if (count_of_characters(std::string_view(piece_.text).substr(start)) <= most) return false;
    const std::string whole = piece_.text.substr(start);
    if (rules_.judge(whole, undecodable) != kRuleTooLong) return false;  // Too much of it is lost to cut it.
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

  // Most of it is no prose: what is left between is hardly better.
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
    if (options_.near == NearUnit::kDocuments) document_.minhashes.emplace_back(minhash(text()));
    if (options_.near != NearUnit::kParagraphs) return;
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

// Calls `line(text, end)` for each line; a carriage return ends one too, alone or before a line feed.
template <class Line>
void for_each_line(std::string_view text, Line line) {
  while (!text.empty()) {
    const size_t end = text.find_first_of("\r\n");
    if (end == std::string_view::npos) return line(text, false);
    const bool two = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
    line(text.substr(0, end), text[end] == '\n' || two);
    text.remove_prefix(end + (two ? 2 : 1));
  }
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
    const bool is_part = piece.opens_in_line || piece.closes_in_line;
    clean.markup = clean.bytes_read;
    const auto bad = [&](std::string_view rule, int64_t number, std::string_view line) {
      clean.markup -= std::ssize(line);
      clean.dropped.push_back({rule, number, std::string(line)});
    };
    if (is_part) {
      bad(kRuleTooLong, piece.line, piece.text);
      return clean;
    }
    read_json_lines(piece.text, piece.line, options_.fields, bad, [&](std::string_view text, int64_t number) {
      clean.markup -= std::ssize(text) + 1;  // The line feed is a paragraph's.
      cleaner.begin(number, true);
      for_each_line(text, [&](std::string_view line, bool) { cleaner.line(line, number, false); });
      cleaner.end(true);
    });
    return clean;
  }
  if (piece.opens_document && piece.text.empty() && !piece.problem.empty()) return clean;  // The problem says it all.
  const bool is_page = piece.format != TextFormat::text;
  if (is_page) piece.text = piece.format == TextFormat::html ? html_text(piece.text) : markdown_text(piece.text);
  clean.markup = clean.bytes_read - std::ssize(piece.text);
  int64_t number = piece.line;
  bool is_first = true;
  cleaner.begin(number, piece.opens_document);
  const std::string_view document_break(&kDocumentBreak, 1);
  for_each_line(piece.text, [&](std::string_view line, bool counts) {
    if (line == document_break) {
      cleaner.end(true);
      cleaner.begin(number + 1, true);
    } else {
      cleaner.line(line, number, (is_first && piece.opens_in_line) || piece.closes_in_line);
    }
    is_first = false;
    if (counts && !is_page) ++number;  // The lines of a page are gone.
  });
  cleaner.end(piece.closes_document);
  return clean;
}

}  // namespace tinyllm
