#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/common_characters.h>
#include <tinyllm/runtime/documents/encoding.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/corpus/mojibake.h>

#include <unicode/localpointer.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <cstdint>
#include <string>
#include <utility>

namespace tinyllm::corpus {

using namespace documents;
namespace {

struct Counts {
  int64_t characters = 0;  // Without blanks.
  int64_t han = 0;
  int64_t rare_han = 0;
  int64_t replacements = 0;
  int64_t latin = 0;         // U+0080 to U+00FF: what Latin-1 makes of bytes beyond ASCII.
  int64_t sequences = 0;     // Letters that as bytes of Latin-1 are a character of UTF-8,
  int64_t in_sequences = 0;  // and how many of the above they are.
};

bool is_latin1(char32_t c) { return c >= 0x80 && c <= 0xFF; }

// Quotation marks that are also bytes of UTF-8 in Windows-1252.
bool is_quote(char32_t c) {
  constexpr std::u32string_view kQuotes = U"«»‹›“”„‘’‚";
  return kQuotes.find(c) != std::u32string_view::npos;
}

// Whether a character of two UTF-8 bytes is one that occurs in texts: Latin letters with the accents of Europe, Vietnam
// and Pinyin, Greek, Cyrillic, Hebrew, Arabic, and signs. `É»` would be a letter of phonetics.
bool is_usual(char32_t c) {
  return (c >= 0x80 && c <= 0x17F) || c == 0x1A0 || c == 0x1A1 || c == 0x1AF || c == 0x1B0 ||
         (c >= 0x1CD && c <= 0x1DC) || (c >= 0x218 && c <= 0x21B) || (c >= 0x300 && c <= 0x33F) ||
         (c >= 0x384 && c <= 0x491) || (c >= 0x5D0 && c <= 0x5EA) || (c >= 0x600 && c <= 0x6FF);
}

// The byte from 0x80 to 0xBF that is this character in Windows-1252; 0 if there is none.
char32_t continuation_byte(char32_t c) {
  // What Windows-1252 has at 0x80 to 0x9F; blanks where it has nothing.
  constexpr std::u32string_view kSpecial = U"€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";
  static_assert(kSpecial.size() == 0x20);
  if (c >= 0x80 && c <= 0xBF) return c;
  const size_t at = c <= 0xFF ? std::u32string_view::npos : kSpecial.find(c);
  return at == std::u32string_view::npos ? 0 : static_cast<char32_t>(0x80 + at);
}

// Finds characters of UTF-8 whose bytes became letters of Latin-1. A mark that closes a quotation is not such a byte:
// «CAFÉ» has the bytes of `ɻ`. A quotation opens where a mark is not after a letter or within such a character.
class SequenceFinder {
 public:
  void see(char32_t c, Counts& counts) {
    const bool may_close = std::exchange(quoted_, quoted_ && !is_quote(c)) && is_quote(c);
    const char32_t byte = missing_ > 0 && !may_close ? continuation_byte(c) : 0;
    if (byte != 0) {
      if (is_latin1(c)) ++latin_;
      value_ = value_ << 6 | (byte & 0x3F);
      after_letter_ = true;
      if (--missing_ > 0 || (size_ == 2 && !is_usual(value_))) return;
      ++counts.sequences;
      counts.in_sequences += latin_;
      return;
    }
    if (is_quote(c) && !may_close && !after_letter_) quoted_ = true;
    after_letter_ = is_latin(c) || is_digit(c) || (is_latin1(c) && !is_quote(c));
    latin_ = 1;
    size_ = c < 0xC2 || c > 0xF4 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    missing_ = size_ == 0 ? 0 : size_ - 1;
    value_ = size_ == 2 ? c & 0x1F : c & 0x0F;
  }

 private:
  int size_ = 0;     // Bytes of the character that the last lead byte began,
  int missing_ = 0;  // how many of them are still to come,
  char32_t value_ = 0;
  int latin_ = 0;
  bool quoted_ = false;
  bool after_letter_ = false;
};

Counts count(std::string_view text) {
  const CommonCharacters& common = common_characters();
  Counts counts;
  SequenceFinder finder;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (c > ' ') ++counts.characters;
    if (is_han(c)) {
      ++counts.han;
      if (!common.has(c)) ++counts.rare_han;
    } else if (c >= 0x80) {
      if (is_latin1(c)) ++counts.latin;
      if (c == 0xFFFD) ++counts.replacements;
    }
    finder.see(c, counts);
  }
  return counts;
}

// Whether the paragraph, written as GBK, is UTF-8 for the greater part.
bool is_utf8_as_gbk(std::string_view paragraph) {
  const icu::UnicodeString text = icu::UnicodeString::fromUTF8(icu::StringPiece(paragraph));
  UErrorCode error = U_ZERO_ERROR;
  const icu::LocalUConverterPointer gbk(ucnv_open("GBK", &error));
  if (U_FAILURE(error)) throw Error("mojibake: ICU has no converter for GBK: {}", u_errorName(error));
  std::string bytes(2 * static_cast<size_t>(text.length()) + 1, '\0');
  bytes.resize(static_cast<size_t>(ucnv_fromUChars(gbk.getAlias(), bytes.data(), static_cast<int32_t>(bytes.size()),
                                                   text.getBuffer(), text.length(), &error)));
  Decoder decoder(Encoding::utf8);
  std::string decoded;
  decoder.decode(bytes, decoded);
  return decoder.undecodable() * 3 < static_cast<int64_t>(bytes.size());
}

}  // namespace

bool looks_like_mojibake(std::string_view paragraph) {
  constexpr int64_t kFew = 6;  // With fewer characters the test is not reliable.
  constexpr std::string_view kLocked = "锟斤拷";
  const Counts n = count(paragraph);
  if (n.replacements >= kFew && 5 * n.replacements > n.characters) return true;
  if (n.sequences >= 2 && n.in_sequences >= 4 && 2 * n.in_sequences >= n.latin) return true;
  if (n.latin >= 2 * kFew && 2 * n.latin > n.characters) return true;
  if (n.rare_han == 0) return false;
  // A third of the paragraph; it is less when a text only quotes it.
  int64_t locked = 0;
  for (size_t i = 0; (i = paragraph.find(kLocked, i)) != std::string_view::npos; i += kLocked.size()) ++locked;
  if (9 * locked > n.characters) return true;
  return n.han >= kFew && 5 * n.rare_han >= 2 * n.han && is_utf8_as_gbk(paragraph);
}

}  // namespace tinyllm::corpus
