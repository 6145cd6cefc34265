#include <tinyllm/runtime/documents/common_characters.h>
#include <tinyllm/tensor/base/error.h>

#include <unicode/localpointer.h>
#include <unicode/ucnv.h>

namespace tinyllm::documents {
namespace {

// The characters of two bytes that begin with `first` to `last`, as ICU's converter reads them.
template <class Add>
void each_character(const char* encoding, int first, int last, const Add& add) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::LocalUConverterPointer converter(ucnv_open(encoding, &error));
  if (U_FAILURE(error)) throw Error("encodings: ICU has no converter for {}: {}", encoding, u_errorName(error));
  for (int lead = first; lead <= last; ++lead) {
    for (int trail = 0x40; trail <= 0xFE; ++trail) {
      const char bytes[] = {static_cast<char>(lead), static_cast<char>(trail)};
      char16_t text[4];
      error = U_ZERO_ERROR;
      if (ucnv_toUChars(converter.getAlias(), text, 4, bytes, 2, &error) == 1 && text[0] != 0xFFFD) add(text[0]);
    }
  }
}

}  // namespace

CommonCharacters::CommonCharacters() {
  const auto add_one = [this](char16_t c) { add(c); };
  each_character("GB2312", 0xA1, 0xA3, add_one);
  each_character("GB2312", 0xB0, 0xD7, add_one);
  each_character("Big5", 0xA4, 0xC6, add_one);
  for (char32_t c = ' '; c <= '~'; ++c) add(c);
  for (const char32_t c : {U'\t', U'\n', U'\r', U'\f', U'\u3000'}) add(c);
}

const CommonCharacters& common_characters() {
  static const CommonCharacters kCommon;
  return kCommon;
}

}  // namespace tinyllm::documents
