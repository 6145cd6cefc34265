#include <tinyllm/runtime/search/fold.h>

#include <tinyllm/tensor/base/error.h>

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>

namespace tinyllm::search {
namespace {

void check(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) throw Error("ICU: cannot load {}: {}", what, u_errorName(status));
}

CharacterKind kind_of(char32_t c) {
  const auto code = static_cast<UChar32>(c);
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(code, &status);
  if (script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA || script == USCRIPT_HANGUL ||
      c == U'〇' || c == U'ー') {
    return u_isalpha(code) || c == U'〇' || c == U'々' ? CharacterKind::wide : CharacterKind::blank;
  }
  if (u_isalnum(code)) return CharacterKind::word;
  if (c == '-' || c == '_' || c == '.' || c == U'‐' || c == U'‑') return CharacterKind::joiner;
  const int8_t type = u_charType(code);
  if (type == U_NON_SPACING_MARK || type == U_FORMAT_CHAR || type == U_ENCLOSING_MARK) return CharacterKind::ignored;
  // Vowels of scripts that write them as marks belong to the word.
  return type == U_COMBINING_SPACING_MARK ? CharacterKind::word : CharacterKind::blank;
}

bool loses_accents(char32_t c) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(static_cast<UChar32>(c), &status);
  return script == USCRIPT_LATIN || script == USCRIPT_GREEK || script == USCRIPT_CYRILLIC;
}

// What a character becomes, without simplifying.
icu::UnicodeString plain(char32_t c, const icu::Normalizer2& casefold, const icu::Normalizer2& decompose) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString text = casefold.normalize(icu::UnicodeString(static_cast<UChar32>(c)), status);
  if (loses_accents(c)) text = decompose.normalize(text, status);
  check(status, "the folding of characters");
  return text;
}

}  // namespace

const Folding& Folding::table() {
  static const Folding folding;
  return folding;
}

Folding::Folding() : entries_(kTable) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* casefold = icu::Normalizer2::getNFKCCasefoldInstance(status);
  const icu::Normalizer2* decompose = icu::Normalizer2::getNFKDInstance(status);
  check(status, "NFKC_Casefold");
  const std::unique_ptr<icu::Transliterator> simplify(
      icu::Transliterator::createInstance("Traditional-Simplified", UTRANS_FORWARD, status));
  check(status, "Traditional-Simplified");
  // All Chinese characters at once, apart from each other so that each is replaced on its own.
  icu::UnicodeString han;
  for (UChar c = 0x3400; c < 0xA000; ++c) han.append(c).append(u'\n');
  simplify->transliterate(han);
  std::vector<char32_t> simple(0xA000 - 0x3400);
  for (int32_t at = 0, i = 0; at < han.length() && i < std::ssize(simple); ++i) {
    const int32_t end = han.indexOf(u'\n', at);
    simple[static_cast<size_t>(i)] = han.countChar32(at, end - at) == 1 ? static_cast<char32_t>(han.char32At(at))
                                                                        : static_cast<char32_t>(0x3400 + i);
    at = end + 1;
  }
  for (char32_t c = 0; c < kTable; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;  // Surrogates are not characters.
    const icu::UnicodeString text = plain(c, *casefold, *decompose);
    std::vector<uint32_t> becomes;
    for (int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
      auto to = static_cast<char32_t>(text.char32At(at));
      if (to >= 0x3400 && to < 0xA000) to = simple[to - 0x3400];
      const CharacterKind kind = kind_of(to);
      if (kind == CharacterKind::ignored && text.length() > 1) continue;  // Accents.
      becomes.push_back(to | static_cast<uint32_t>(kind) << kKindShift |
                        (u_isupper(static_cast<UChar32>(c)) ? kUpper : 0));
    }
    if (becomes.size() == 1) {
      entries_[c] = becomes[0];
    } else if (becomes.empty()) {
      entries_[c] = static_cast<uint32_t>(CharacterKind::ignored) << kKindShift;
    } else {
      entries_[c] = kSeveral;
      several_[c] = std::move(becomes);
    }
  }
}

uint32_t Folding::entry_of(char32_t c) { return c | static_cast<uint32_t>(kind_of(c)) << kKindShift; }

}  // namespace tinyllm::search
