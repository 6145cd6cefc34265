#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/documents/encode.h"

namespace tinyllm::test {

/// Writes numbers of little-endian into bytes.
template <class T>
void put(std::string& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// A file of Word 97 with this text: a compound file ([MS-CFB]) of sectors of 512 bytes with two streams, of which
/// WordDocument has the header ([MS-DOC] 2.5) and the text in UTF-16. A carriage return ends a paragraph, \x07 a cell,
/// and two of them a row.
inline std::string make_doc(std::string_view text, bool is_encrypted = false) {
  constexpr uint32_t kNone = 0xFFFFFFFF;
  constexpr uint32_t kEnd = 0xFFFFFFFE;
  constexpr size_t kSector = 512;
  constexpr size_t kText = 0x600;  // Where it begins.
  const std::string body = encode(text, "UTF-16LE");
  std::string word(kText, '\0');
  put<uint16_t>(word, 0, 0xA5EC);
  put<uint16_t>(word, 2, 0xC1);
  put<uint16_t>(word, 10, static_cast<uint16_t>(is_encrypted ? 0x1300 : 0x1200));  // UTF-16, and the table is 1Table.
  put(word, 0x18, static_cast<uint32_t>(kText));
  put(word, 0x1C, static_cast<uint32_t>(kText + body.size()));
  put(word, 0x4C, static_cast<uint32_t>(body.size() / 2));
  word += body;
  // Streams below 4096 bytes would be stored in another way.
  word.resize(std::max<size_t>(4096, (word.size() + kSector - 1) / kSector * kSector));
  const std::string table(4096, '\0');

  const auto first_of_table = static_cast<uint32_t>(2 + word.size() / kSector);
  const auto all = static_cast<uint32_t>(first_of_table + table.size() / kSector);
  std::string chains(kSector, '\xFF');
  for (uint32_t i = 2; i < all; ++i)
    put<uint32_t>(chains, 4 * i, i + 1 == first_of_table || i + 1 == all ? kEnd : i + 1);
  put<uint32_t>(chains, 0, 0xFFFFFFFD);
  put<uint32_t>(chains, 4, kEnd);

  std::string folder;
  const auto entry = [&](std::string_view name, char type, uint32_t right, uint32_t child, uint32_t start,
                         size_t size) {
    std::string made(128, '\0');
    const std::string wide = encode(name, "UTF-16LE");
    made.replace(0, wide.size(), wide);
    put(made, 64, static_cast<uint16_t>(wide.size() + 2));
    made[66] = type;
    made[67] = 1;
    put(made, 68, kNone);
    put(made, 72, right);
    put(made, 76, child);
    put(made, 116, start);
    put(made, 120, static_cast<uint32_t>(size));
    folder += made;
  };
  entry("Root Entry", 5, kNone, 1, kEnd, 0);
  entry("WordDocument", 2, 2, kNone, 2, word.size());
  entry("1Table", 2, kNone, kNone, first_of_table, table.size());
  folder.resize(kSector);

  std::string header(76, '\0');
  header.resize(kSector, '\xFF');
  header.replace(0, 8, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
  put<uint16_t>(header, 24, 0x3E);
  put<uint16_t>(header, 26, 3);
  put<uint16_t>(header, 28, 0xFFFE);
  put<uint16_t>(header, 30, 9);
  put<uint16_t>(header, 32, 6);
  put<uint32_t>(header, 44, 1);  // Sectors of chains,
  put<uint32_t>(header, 48, 1);  // and the first one of the folder.
  put<uint32_t>(header, 56, 4096);
  put(header, 60, kEnd);
  put(header, 68, kEnd);
  put<uint32_t>(header, 76, 0);
  return header + chains + folder + word + table;
}

}  // namespace tinyllm::test
