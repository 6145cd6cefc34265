#pragma once

#include <string_view>

namespace tinyllm::corpus {

/// Whether a paragraph in UTF-8 is text that was once decoded with the wrong encoding:
///   UTF-8 read as GBK           涓枃      most Chinese characters are rare ones, and as GBK they are bytes of UTF-8
///   UTF-8 read as Latin-1       ä¸­æ  Ã©  letters that as bytes are UTF-8; or mostly letters beyond ASCII
///   GBK or Big5 read as Latin-1 ÖÐ¹ú      mostly letters beyond ASCII
///   GBK read as UTF-8           �й��     many U+FFFD
///   and that read as GBK again  锟斤拷
/// Windows-1252 counts as Latin-1. False for a paragraph with only a few such characters, and for quotation marks next
/// to letters, as in «CAFÉ» and »Spaß«.
bool looks_like_mojibake(std::string_view paragraph);

}  // namespace tinyllm::corpus
