#include <tinyllm/runtime/documents/chunks.h>

#include <tinyllm/runtime/documents/sentences.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace tinyllm {
namespace {

using Kind = Paragraph::Kind;

bool is_blank(char32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == U'\u3000' || c == U'\u00A0'; }

bool ends_clause(char32_t c) {
  return c == ',' || c == ';' || c == ':' || c == U'，' || c == U'、' || c == U'：' || c == U'；' || is_blank(c);
}

// Where to cut a text that is longer than `most` characters: after a tab if `at_tabs`, else after a clause, both in the
// second half, else after that many characters.
size_t cut_at(std::string_view text, int64_t most, bool at_tabs) {
  size_t at = 0;
  size_t clause = 0;
  int64_t n = 0;
  for (; n < most && at < text.size(); ++n) {
    const char32_t c = next_character(text, at);
    if (2 * n > most && (at_tabs ? c == '\t' : ends_clause(c))) clause = at;
  }
  return at < text.size() && clause > 0 ? clause : at;
}

class Chunker {
 public:
  Chunker(const Document& document, int64_t most) : document_(document), text_(document.text), most_(most) {}

  std::vector<Chunk> run() {
    for (paragraph_ = 0; paragraph_ < document_.paragraphs.size(); ++paragraph_) {
      const Paragraph& paragraph = document_.paragraphs[paragraph_];
      if (paragraph.kind == Kind::heading) {
        heading(paragraph);
      } else {
        has_body_ = true;
        body(paragraph);
      }
    }
    close_heading(0);
    return std::move(chunks_);
  }

 private:
  std::string_view part(const Paragraph& p) const { return text_.substr(p.offset, p.length); }

  // Ends what is above a heading of this level.
  void close_heading(int level) {
    close();
    if (!has_body_ && !open_.empty() && open_.back()->level >= level) {
      const Paragraph* last = open_.back();
      open_.pop_back();
      first_ = static_cast<size_t>(last - document_.paragraphs.data());
      begin_ = last->offset;
      end_ = last->offset + last->length;
      characters_ = 1;
      close();
    }
    while (!open_.empty() && open_.back()->level >= level) open_.pop_back();
  }

  void heading(const Paragraph& paragraph) {
    close_heading(paragraph.level);
    open_.push_back(&paragraph);
    has_body_ = false;
  }

  void body(const Paragraph& paragraph) {
    const int64_t size = count_of_characters(part(paragraph));
    const bool is_whole = characters_ + size <= most_;
    if (!is_whole && 2 * characters_ >= most_) close();
    if (is_whole || (paragraph.kind == Kind::row && size <= longest_row())) {
      add(paragraph.offset, paragraph.length, size);
      return;
    }
    for (size_t at = 0; at < paragraph.length;) {
      const std::string_view rest = part(paragraph).substr(at);
      const size_t sentence = paragraph.kind == Kind::row ? rest.size() : documents::first_sentence(rest);
      long_part(paragraph, at, rest.substr(0, sentence));
      at += sentence;
    }
  }

  void long_part(const Paragraph& paragraph, size_t at, std::string_view rest) {
    while (!rest.empty()) {
      const bool is_row = paragraph.kind == Kind::row;
      const size_t size = cut_at(rest, is_row ? longest_row() : most_, is_row);
      add(paragraph.offset + at, size, count_of_characters(rest.substr(0, size)));
      at += size;
      rest.remove_prefix(size);
    }
  }

  void add(size_t offset, size_t length, int64_t characters) {
    if (characters_ > 0 && characters_ + characters > most_) close();
    if (characters_ == 0) {
      first_ = paragraph_;
      begin_ = offset;
    } else {
      // Blanks between paragraphs are part of the chunk.
      characters += count_of_characters(text_.substr(end_, offset - end_));
    }
    end_ = offset + length;
    characters_ += characters;
  }

  void close() {
    if (std::exchange(characters_, 0) == 0) return;
    trim();
    if (begin_ == end_) return;
    Chunk chunk;
    chunk.offset = begin_;
    chunk.length = end_ - begin_;
    chunk.first_page = place_at(document_, begin_).page;
    chunk.last_page = place_at(document_, end_ - 1).page;
    chunk.paragraph = first_ + 1;
    for (const Paragraph* heading : open_) chunk.headings.emplace_back(part(*heading));
    chunks_.push_back(std::move(chunk));
  }

  void trim() {
    for (size_t next = begin_; begin_ < end_ && is_blank(next_character(text_, next));) begin_ = next;
    while (begin_ < end_) {
      size_t last = end_ - 1;
      while (last > begin_ && continues_character(text_[last])) --last;
      size_t next = last;
      if (!is_blank(next_character(text_, next))) break;
      end_ = last;
    }
  }

  int64_t longest_row() const { return std::min(16 * most_, ChunkOptions::kMost); }

  const Document& document_;
  std::string_view text_;
  int64_t most_;
  size_t paragraph_ = 0;
  std::vector<const Paragraph*> open_;  // The headings above.
  bool has_body_ = true;                // There is text below the last heading.
  size_t begin_ = 0;                    // Of the chunk that is being filled.
  size_t end_ = 0;
  size_t first_ = 0;        // Its first paragraph.
  int64_t characters_ = 0;  // 0: it is empty.
  std::vector<Chunk> chunks_;
};

}  // namespace

std::vector<Chunk> chunks_of(const Document& document, const ChunkOptions& options) {
  if (options.characters < 16 || options.characters > ChunkOptions::kMost) {
    throw Error("chunks of {} characters: expected 16 to {}", options.characters, ChunkOptions::kMost);
  }
  return Chunker(document, options.characters).run();
}

}  // namespace tinyllm
