// Characters that mean the same as one of ASCII.
#pragma once

namespace tinyllm {

/// The ASCII character that `c` is a form of: full-width forms, blanks of other widths, the minus sign, fraction
/// slashes, mathematical digits; `c` itself if it is none. This is NFKC for these characters, without what NFKC makes
/// of superscripts: "3²" is not 32.
constexpr char32_t ascii_form(char32_t c) {
  if (c < 0xA0) return c;
  if (c >= 0xFF01 && c <= 0xFF5E) return c - 0xFF01 + '!';
  if (c >= 0x2000 && c <= 0x200A) return ' ';
  if (c >= 0x1D7CE && c <= 0x1D7FF) return '0' + (c - 0x1D7CE) % 10;
  switch (c) {
    case 0xA0:    // no-break space
    case 0x202F:  // narrow no-break space
    case 0x205F:  // mathematical space
    case 0x3000:  // ideographic space
      return ' ';
    case 0x2212:  // minus sign
    case 0xFE63:
      return '-';
    case 0xFE62:
      return '+';
    case 0x2044:  // fraction slash
    case 0x2215:  // division slash
      return '/';
    case 0x2217:  // asterisk operator
    case 0xFE61:
      return '*';
    case 0x2236:  // ratio
    case 0xFE55:
      return ':';
    case 0xFE50:
      return ',';
    case 0xFE59:
      return '(';
    case 0xFE5A:
      return ')';
    case 0xFE64:
      return '<';
    case 0xFE65:
      return '>';
    case 0xFE66:
      return '=';
    case 0xFE6A:
      return '%';
    case 0xFFE5:
      return 0xA5;  // yen
    default:
      return c;
  }
}

}  // namespace tinyllm
