#include <tinyllm/model/text/regex/char_set.h>

#include <tinyllm/tensor/base/error.h>

#include <unicode/uchar.h>

#include <string>

namespace tinyllm {
namespace {

struct NewCharacters {
  UChar32 first;
  UChar32 last;
  uint32_t category;
};

// The characters that Unicode 15.1 and 16.0 added to 15.0, and U+1171E, whose category changed. Source: UnicodeData.txt
// of both.
// clang-format off
constexpr NewCharacters kNew[] = {
    {0x897, 0x897, U_GC_MN_MASK}, {0x1B4E, 0x1B4F, U_GC_PO_MASK}, {0x1B7F, 0x1B7F, U_GC_PO_MASK},
    {0x1C89, 0x1C89, U_GC_LU_MASK}, {0x1C8A, 0x1C8A, U_GC_LL_MASK}, {0x2427, 0x2429, U_GC_SO_MASK},
    {0x2FFC, 0x2FFF, U_GC_SO_MASK}, {0x31E4, 0x31E5, U_GC_SO_MASK}, {0x31EF, 0x31EF, U_GC_SO_MASK},
    {0xA7CB, 0xA7CC, U_GC_LU_MASK}, {0xA7CD, 0xA7CD, U_GC_LL_MASK}, {0xA7DA, 0xA7DA, U_GC_LU_MASK},
    {0xA7DB, 0xA7DB, U_GC_LL_MASK}, {0xA7DC, 0xA7DC, U_GC_LU_MASK}, {0x105C0, 0x105F3, U_GC_LO_MASK},
    {0x10D40, 0x10D49, U_GC_ND_MASK}, {0x10D4A, 0x10D4D, U_GC_LO_MASK}, {0x10D4E, 0x10D4E, U_GC_LM_MASK},
    {0x10D4F, 0x10D4F, U_GC_LO_MASK}, {0x10D50, 0x10D65, U_GC_LU_MASK}, {0x10D69, 0x10D6D, U_GC_MN_MASK},
    {0x10D6E, 0x10D6E, U_GC_PD_MASK}, {0x10D6F, 0x10D6F, U_GC_LM_MASK}, {0x10D70, 0x10D85, U_GC_LL_MASK},
    {0x10D8E, 0x10D8F, U_GC_SM_MASK}, {0x10EC2, 0x10EC4, U_GC_LO_MASK}, {0x10EFC, 0x10EFC, U_GC_MN_MASK},
    {0x11380, 0x11389, U_GC_LO_MASK}, {0x1138B, 0x1138B, U_GC_LO_MASK}, {0x1138E, 0x1138E, U_GC_LO_MASK},
    {0x11390, 0x113B5, U_GC_LO_MASK}, {0x113B7, 0x113B7, U_GC_LO_MASK}, {0x113B8, 0x113BA, U_GC_MC_MASK},
    {0x113BB, 0x113C0, U_GC_MN_MASK}, {0x113C2, 0x113C2, U_GC_MC_MASK}, {0x113C5, 0x113C5, U_GC_MC_MASK},
    {0x113C7, 0x113CA, U_GC_MC_MASK}, {0x113CC, 0x113CD, U_GC_MC_MASK}, {0x113CE, 0x113CE, U_GC_MN_MASK},
    {0x113CF, 0x113CF, U_GC_MC_MASK}, {0x113D0, 0x113D0, U_GC_MN_MASK}, {0x113D1, 0x113D1, U_GC_LO_MASK},
    {0x113D2, 0x113D2, U_GC_MN_MASK}, {0x113D3, 0x113D3, U_GC_LO_MASK}, {0x113D4, 0x113D5, U_GC_PO_MASK},
    {0x113D7, 0x113D8, U_GC_PO_MASK}, {0x113E1, 0x113E2, U_GC_MN_MASK}, {0x116D0, 0x116E3, U_GC_ND_MASK},
    {0x1171E, 0x1171E, U_GC_MC_MASK}, {0x11BC0, 0x11BE0, U_GC_LO_MASK}, {0x11BE1, 0x11BE1, U_GC_PO_MASK},
    {0x11BF0, 0x11BF9, U_GC_ND_MASK}, {0x11F5A, 0x11F5A, U_GC_MN_MASK}, {0x13460, 0x143FA, U_GC_LO_MASK},
    {0x16100, 0x1611D, U_GC_LO_MASK}, {0x1611E, 0x16129, U_GC_MN_MASK}, {0x1612A, 0x1612C, U_GC_MC_MASK},
    {0x1612D, 0x1612F, U_GC_MN_MASK}, {0x16130, 0x16139, U_GC_ND_MASK}, {0x16D40, 0x16D42, U_GC_LM_MASK},
    {0x16D43, 0x16D6A, U_GC_LO_MASK}, {0x16D6B, 0x16D6C, U_GC_LM_MASK}, {0x16D6D, 0x16D6F, U_GC_PO_MASK},
    {0x16D70, 0x16D79, U_GC_ND_MASK}, {0x18CFF, 0x18CFF, U_GC_LO_MASK}, {0x1CC00, 0x1CCEF, U_GC_SO_MASK},
    {0x1CCF0, 0x1CCF9, U_GC_ND_MASK}, {0x1CD00, 0x1CEB3, U_GC_SO_MASK}, {0x1E5D0, 0x1E5ED, U_GC_LO_MASK},
    {0x1E5EE, 0x1E5EF, U_GC_MN_MASK}, {0x1E5F0, 0x1E5F0, U_GC_LO_MASK}, {0x1E5F1, 0x1E5FA, U_GC_ND_MASK},
    {0x1E5FF, 0x1E5FF, U_GC_PO_MASK}, {0x1F8B2, 0x1F8BB, U_GC_SO_MASK}, {0x1F8C0, 0x1F8C1, U_GC_SO_MASK},
    {0x1FA89, 0x1FA89, U_GC_SO_MASK}, {0x1FA8F, 0x1FA8F, U_GC_SO_MASK}, {0x1FABE, 0x1FABE, U_GC_SO_MASK},
    {0x1FAC6, 0x1FAC6, U_GC_SO_MASK}, {0x1FADC, 0x1FADC, U_GC_SO_MASK}, {0x1FADF, 0x1FADF, U_GC_SO_MASK},
    {0x1FAE9, 0x1FAE9, U_GC_SO_MASK}, {0x1FBCB, 0x1FBEF, U_GC_SO_MASK}, {0x2EBF0, 0x2EE5D, U_GC_LO_MASK},
};
// clang-format on

icu::UnicodeSet from_icu(const std::string& pattern, std::string_view property) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeSet set(icu::UnicodeString::fromUTF8(pattern), status);
  if (U_FAILURE(status)) throw Error("pattern: \\p{{{}}} is not a property of characters", property);
  return set;
}

icu::UnicodeSet with_categories(uint32_t mask) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeSet set;
  set.applyIntPropertyValue(UCHAR_GENERAL_CATEGORY_MASK, static_cast<int32_t>(mask), status);
  if (U_FAILURE(status)) throw Error("ICU: {}", u_errorName(status));
  icu::UnicodeSet assigned = from_icu("[:age=15.0:]", "age=15.0");
  set.retainAll(assigned);
  for (const auto& [first, last, category] : kNew) {
    set.remove(first, last);
    assigned.add(first, last);
    if ((mask & category) != 0) set.add(first, last);
  }
  if ((mask & U_GC_CN_MASK) != 0) set.addAll(assigned.complement());
  return set;
}

}  // namespace

icu::UnicodeSet characters_with(std::string_view property) {
  // A name must not contain ICU's own pattern syntax.
  const std::string name(property);
  if (name.empty() || name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=- ") !=
                          std::string::npos) {
    throw Error("pattern: \\p{{{}}} is not a property of characters", property);
  }
  const int32_t mask = u_getPropertyValueEnum(UCHAR_GENERAL_CATEGORY_MASK, name.c_str());
  if (mask != UCHAR_INVALID_CODE) return with_categories(static_cast<uint32_t>(mask));
  return from_icu("[\\p{" + name + "}]", property);
}

icu::UnicodeSet blanks() { return characters_with("White_Space"); }

icu::UnicodeSet word_characters() {
  icu::UnicodeSet set = with_categories(U_GC_L_MASK | U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK);
  return set.addAll(characters_with("Alphabetic"));
}

}  // namespace tinyllm
