#include <tinyllm/train/corpus/pieces.h>

#include <tinyllm/runtime/documents/html_sniff.h>
#include <tinyllm/runtime/documents/markdown.h>
#include <tinyllm/runtime/documents/sentences.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/corpus/rules.h>

#include <algorithm>
#include <utility>

namespace tinyllm::corpus {

using namespace documents;
namespace {

constexpr size_t kChunk = size_t{1} << 18;      // What is read from a file at once.
constexpr size_t kPiece = size_t{1} << 20;      // Lines of text.
constexpr size_t kPage = size_t{4} << 20;       // HTML or Markdown.
constexpr size_t kJsonLine = size_t{16} << 20;  // The longest that is parsed.
constexpr size_t kBeginning = size_t{1} << 18;  // Shows encoding and format.

bool is_page(TextFormat format) { return format == TextFormat::html || format == TextFormat::markdown; }

}  // namespace

TextFormat sniff_format(std::string_view beginning) {
  if (begins_as_html(beginning)) return TextFormat::html;
  if (looks_like_markdown(beginning)) return TextFormat::markdown;
  return looks_like_html(beginning) ? TextFormat::html : TextFormat::text;
}

std::optional<Piece> PieceReader::next() {
  while (file_ < files_.size()) {
    try {
      if (!source_) open();
      if (encoding_ == Encoding::binary) return fail(kRuleBinary, "holds bytes that are not text");
      while (!at_end_) {
        if (const std::optional<size_t> end = cut()) return emit(*end);
        if (!read_more()) break;
      }
      return emit(buffer_.size());
    } catch (const Error& error) {
      // What was read before is still text. The problem comes with it.
      return fail(kRuleUnreadable, error.what());
    }
  }
  return std::nullopt;
}

// Opens the file, and reads enough of it to know its encoding and format.
void PieceReader::open() {
  const InputFile& file = files_[file_];
  source_.emplace(file);
  format_ = file.format;
  std::string bytes(kBeginning, '\0');
  size_t size = 0;
  std::string trouble;
  try {
    size_t got;
    while ((got = source_->read(std::span(bytes).subspan(size))) > 0) size += got;
  } catch (const Error& error) {
    trouble = error.what();  // What was read before it is still text.
  }
  bytes.resize(size);
  encoding_ = detect_encoding(bytes);
  if (encoding_ == Encoding::binary) return;
  decoder_.emplace(encoding_);
  buffer_.reserve(kPiece + 2 * kChunk);
  decoder_->decode(bytes, buffer_);
  if (format_ == TextFormat::text) format_ = sniff_format(buffer_);
  if (!trouble.empty()) throw Error("{}", trouble);
}

// False at the end of the file.
bool PieceReader::read_more() {
  std::string bytes(kChunk, '\0');
  const size_t got = source_->read(bytes);
  if (got > 0) {
    decoder_->decode(std::string_view(bytes).substr(0, got), buffer_);
    return true;
  }
  decoder_->finish(buffer_);
  at_end_ = true;
  return false;
}

// Where the next piece ends; nothing when more must be read first.
std::optional<size_t> PieceReader::cut() {
  if (in_line_) {
    const size_t end = buffer_.find('\n');
    if (end != std::string::npos) return end + 1;
    return buffer_.size() >= kPiece ? std::optional(cut_in_line()) : std::nullopt;
  }
  if (buffer_.size() < (is_page(format_) ? kPage : kPiece)) return std::nullopt;
  const std::string_view unknown = std::string_view(buffer_).substr(searched_);
  size_t end = unknown.rfind('\n');
  if (end == std::string_view::npos) end = unknown.rfind('\r');
  if (end != std::string_view::npos) return searched_ + end + 1;
  searched_ = buffer_.size();
  const size_t longest = format_ == TextFormat::json_lines ? kJsonLine : kPiece;
  return buffer_.size() >= longest ? std::optional(cut_in_line()) : std::nullopt;
}

// Where to cut a line that is longer than a piece.
size_t PieceReader::cut_in_line() const {
  if (format_ == TextFormat::json_lines) return buffer_.size();
  if (format_ != TextFormat::html) return sentence_cut(buffer_, kPiece / 4);  // A character has at most 4 bytes.
  const size_t tag = buffer_.rfind('>');
  return tag == std::string::npos ? buffer_.size() : tag + 1;
}

// Returns the buffer up to `end`. At the end of the file, prepares for the next one.
Piece PieceReader::emit(size_t end) {
  Piece piece;
  piece.file = file_;
  piece.line = line_;
  piece.format = format_;
  piece.encoding = encoding_;
  piece.opens_document = std::exchange(at_beginning_, false);
  piece.closes_document = at_end_ && end == buffer_.size();
  piece.opens_in_line = in_line_;
  piece.closes_in_line = !piece.closes_document && end > 0 && buffer_[end - 1] != '\n' && buffer_[end - 1] != '\r';
  piece.text = std::exchange(buffer_, buffer_.substr(end));
  buffer_.reserve(kPiece + 2 * kChunk);
  piece.text.resize(end);
  searched_ = 0;
  in_line_ = piece.closes_in_line;
  line_ += std::count(piece.text.begin(), piece.text.end(), '\n');
  if (source_ && !piece.closes_document) consumed_ += piece.consumed = source_->consumed() - consumed_;
  if (piece.closes_document) {
    piece.consumed = files_[file_].size - consumed_;
    source_.reset();
    decoder_.reset();
    encoding_ = Encoding::utf8;
    at_beginning_ = true;
    at_end_ = in_line_ = false;
    line_ = 1;
    consumed_ = 0;
    ++file_;
  }
  return piece;
}

Piece PieceReader::fail(std::string_view problem, std::string why) {
  at_end_ = true;
  Piece piece = emit(buffer_.size());
  piece.problem = problem;
  piece.why = std::move(why);
  return piece;
}

}  // namespace tinyllm::corpus
