#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/corpus/characters.h>
#include <tinyllm/train/corpus/common_characters.h>
#include <tinyllm/train/corpus/encoding.h>
#include <tinyllm/train/corpus/mojibake.h>

#include <unicode/localpointer.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <cstdint>
#include <string>

namespace tinyllm {
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

// What Windows-1252 has at 0x80 to 0x9F: as bytes these go on with a character of UTF-8.
bool is_windows_special(char32_t c) {
  constexpr std::u32string_view kSpecial = U"€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
  return kSpecial.find(c) != std::u32string_view::npos;
}

// Finds characters of UTF-8 whose bytes became letters of Latin-1.
class SequenceFinder {
 public:
  void see(char32_t c, Counts& counts) {
    if (missing_ > 0 && ((c >= 0x80 && c <= 0xBF) || is_windows_special(c))) {
      if (is_latin1(c)) ++latin_;
      if (--missing_ > 0) return;
      ++counts.sequences;
      counts.in_sequences += latin_;
      return;
    }
    latin_ = 1;
    missing_ = c < 0xC2 || c > 0xF4 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
  }

 private:
  int missing_ = 0;
  int latin_ = 0;
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
  Decoder decoder(Encoding::kUtf8);
  std::string decoded;
  decoder.decode(bytes, decoded);
  return decoder.undecodable() * 3 < static_cast<int64_t>(bytes.size());
}

}  // namespace

bool looks_like_mojibake(std::string_view paragraph) {
  constexpr int64_t kFew = 6;  // Characters that prove nothing.
  constexpr std::string_view kLocked = "锟斤拷";
  const Counts n = count(paragraph);
  if (n.replacements >= kFew && 5 * n.replacements > n.characters) return true;
  if (n.sequences >= 2 && n.in_sequences >= 4 && 2 * n.in_sequences >= n.latin) return true;
  if (n.latin >= 2 * kFew && 2 * n.latin > n.characters) return true;
  if (n.rare_han == 0) return false;
  // A third of the paragraph; less where it is only quoted.
  int64_t locked = 0;
  for (size_t i = 0; (i = paragraph.find(kLocked, i)) != std::string_view::npos; i += kLocked.size()) ++locked;
  if (9 * locked > n.characters) return true;
  return n.han >= kFew && 5 * n.rare_han >= 2 * n.han && is_utf8_as_gbk(paragraph);
}

}  // namespace tinyllm
