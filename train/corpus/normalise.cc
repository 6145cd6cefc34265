#include <tinyllm/train/corpus/normalise.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/entity.h>
#include <tinyllm/tensor/base/error.h>

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

namespace tinyllm::corpus {

using namespace documents;
namespace {

constexpr char32_t kEscape = 0x1B;
constexpr char32_t kReplacement = 0xFFFD;

// The end of a terminal escape that begins at `at`, as in ESC [ 31 m (ECMA-48).
size_t escape_end(std::string_view text, size_t at) {
  if (at + 1 >= text.size() || text[at + 1] != '[') return at + 1;
  size_t end = at + 2;
  while (end < text.size() && text[end] >= 0x20 && text[end] < 0x40) ++end;
  return end < text.size() && text[end] >= 0x40 && text[end] < 0x7F ? end + 1 : end;
}

bool is_blank(char32_t c) {
  return c == ' ' || c == '\t' || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F ||
         c == 0x3000 || c == '\v' || c == '\f' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}
bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }
bool is_invisible(char32_t c) {
  return c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || c == 0x180E;
}
bool is_joiner(char32_t c) { return c == 0x200C || c == 0x200D; }
bool is_private_or_none(char32_t c) {
  return (c >= 0xE000 && c <= 0xF8FF) || c >= 0xF0000 || (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
}
bool is_sentence_mark(char32_t c) {
  return c == ',' || c == '!' || c == '?' || c == ';' || c == ':' || c == 0x3001 || c == 0x3002 || c == 0xFF01 ||
         c == 0xFF0C || c == 0xFF1A || c == 0xFF1B || c == 0xFF1F;
}

// Appends characters, counting repetitions of the last one.
class Writer {
 public:
  Writer(std::string& out, NormaliseCounts& counts) : out_(out), start_(out.size()), counts_(counts) {}

  void add_blank(bool is_tab) {
    cut_run();
    if (last_ != ' ' && out_.size() > start_) out_ += ' ';
    if (is_tab && out_.size() > start_) out_.back() = '\t';
    last_ = ' ';
    run_ = 1;
  }
  void add(char32_t c) {
    if (c != last_) {
      cut_run();
      last_ = c;
      run_ = 0;
      run_start_ = out_.size();
    }
    ++run_;
    append_character(out_, c);
  }
  void finish() {
    cut_run();
    if (out_.size() > start_ && (out_.back() == ' ' || out_.back() == '\t')) out_.pop_back();
  }
  char32_t last() const { return last_; }

 private:
  void cut_run() {
    if (run_ < 4 || is_digit(last_) || last_ == ' ') return;
    const int64_t kept = is_sentence_mark(last_) ? 1 : run_ >= 8 ? 3 : run_;
    const auto size = (out_.size() - run_start_) / static_cast<size_t>(run_);
    out_.resize(run_start_ + static_cast<size_t>(kept) * size);
    counts_.repeated += run_ - kept;
  }

  std::string& out_;
  size_t start_;
  NormaliseCounts& counts_;
  char32_t last_ = 0;
  int64_t run_ = 0;
  size_t run_start_ = 0;
};

std::string nfkc(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKCInstance(status);
  std::string folded;
  icu::StringByteSink<std::string> sink(&folded);
  if (U_SUCCESS(status)) {
    normalizer->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink, nullptr,
                              status);
  }
  if (U_FAILURE(status)) throw Error("ICU: cannot normalise: {}", u_errorName(status));
  return folded;
}

}  // namespace

NormaliseCounts& NormaliseCounts::operator+=(const NormaliseCounts& other) {
  controls += other.controls;
  invisible += other.invisible;
  private_use += other.private_use;
  undecodable += other.undecodable;
  folded += other.folded;
  entities += other.entities;
  repeated += other.repeated;
  return *this;
}

void normalise(std::string_view line, Width width, std::string& out, NormaliseCounts& counts, bool keeps_replacements) {
  std::string folded;
  if (width == Width::nfkc) {
    folded = nfkc(line);
    if (folded != line) ++counts.folded;
    line = folded;
  }
  Writer writer(out, counts);
  for (size_t at = 0; at < line.size();) {
    const size_t start = at;
    const Entity entity = line[at] == '&' ? parse_entity(line.substr(at)).value_or(Entity{}) : Entity{};
    char32_t c = entity.size > 0 ? entity.character : next_character(line, at);
    if (entity.size > 0) {
      ++counts.entities;
      at += entity.size;
    }
    if (c >= 0x3040 && c < 0xE000) {  // Most Chinese characters: a fast path.
      writer.add(c);
    } else if (is_blank(c)) {
      writer.add_blank(c == '\t');
    } else if (is_control(c)) {
      ++counts.controls;
      if (c == kEscape) at = escape_end(line, start);
    } else if (is_invisible(c) && !(is_joiner(c) && (writer.last() >= 0x1F000 || writer.last() == 0xFE0F))) {
      ++counts.invisible;
    } else if (is_private_or_none(c)) {
      ++counts.private_use;
    } else if (c == kReplacement) {
      ++counts.undecodable;
      if (keeps_replacements) writer.add(c);
    } else {
      const bool is_wide = (c >= 0xFF10 && c <= 0xFF19) || (c >= 0xFF21 && c <= 0xFF3A) || (c >= 0xFF41 && c <= 0xFF5A);
      if (width == Width::fold && is_wide) {
        c -= 0xFEE0;
        ++counts.folded;
      }
      writer.add(c);
    }
    if (entity.second != 0) writer.add(entity.second);
  }
  writer.finish();
}

}  // namespace tinyllm::corpus
