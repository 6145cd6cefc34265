#include <tinyllm/train/data/document_reader.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/documents.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tinyllm {
namespace {

constexpr size_t kPiece = size_t{1} << 18;

// Where to cut a text that continues: after its last line, or else between characters and not within a line end.
size_t cut_of(std::string_view text) {
  const size_t line_end = text.rfind('\n');
  if (line_end != std::string_view::npos) return line_end + 1;
  return character_cut(text, text.size() - 1);
}

void use_line_feeds(std::string& text) {
  size_t to = text.find("\r\n");
  if (to == std::string::npos) return;
  for (size_t from = to; from < text.size(); ++from) {
    if (text[from] == '\r' && from + 1 < text.size() && text[from + 1] == '\n') continue;
    text[to++] = text[from];
  }
  text.resize(to);
}

}  // namespace

CorpusReader::CorpusReader(std::vector<std::filesystem::path> files) : files_(std::move(files)) {
  for (const std::filesystem::path& file : files_) {
    total_ += static_cast<int64_t>(RandomAccessFile(file).size());
  }
}

void CorpusReader::open() {
  in_.open(files_[file_], std::ios::binary);
  if (!in_) throw Error("{}: cannot be opened: {}", files_[file_].string(), std::strerror(errno));
  line_ = byte_ = 1;
}

std::optional<CorpusPiece> CorpusReader::next() {
  if (file_ == files_.size()) return std::nullopt;
  if (!in_.is_open()) open();
  CorpusPiece piece{files_[file_], line_, byte_, std::move(rest_), false};
  rest_.clear();
  const size_t have = piece.text.size();
  piece.text.resize(kPiece);
  in_.read(piece.text.data() + have, static_cast<std::streamsize>(kPiece - have));
  if (in_.bad()) throw Error("{}: cannot be read: {}", piece.file.string(), std::strerror(errno));
  piece.text.resize(have + static_cast<size_t>(in_.gcount()));
  piece.ends_file = piece.text.size() < kPiece;
  if (piece.ends_file) {
    in_.close();
    ++file_;
    return piece;
  }
  const size_t cut = cut_of(piece.text);
  rest_ = piece.text.substr(cut);
  piece.text.resize(cut);
  line_ += static_cast<size_t>(std::count(piece.text.begin(), piece.text.end(), '\n'));
  byte_ = piece.text.ends_with('\n') ? 1 : byte_ + cut;
  return piece;
}

std::vector<DocumentPart> cut_documents(CorpusPiece& piece) {
  check_utf8(piece.text, piece.file.string(), piece.line, piece.byte);
  use_line_feeds(piece.text);
  const std::string_view text = piece.text;
  std::vector<DocumentPart> parts;
  size_t begin = 0;
  for (size_t at = text.find(kDocumentBreak); at != std::string_view::npos; at = text.find(kDocumentBreak, at + 1)) {
    const bool begins_line = at == 0 ? piece.byte == 1 : text[at - 1] == '\n';
    const bool ends_line = at + 1 == text.size() ? piece.ends_file : text[at + 1] == '\n';
    if (!begins_line || !ends_line) continue;
    parts.push_back({text.substr(begin, at - begin), true});
    begin = std::min(at + 2, text.size());
  }
  parts.push_back({text.substr(begin), piece.ends_file});
  return parts;
}

}  // namespace tinyllm
