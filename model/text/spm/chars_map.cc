#include <tinyllm/model/text/spm/chars_map.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

namespace tinyllm {
namespace {

// A unit of the double array: bit 8 says that a value is at the unit's offset; the upper bits have that offset, in
// steps of 256 where bit 9 is set; a unit of the next level has the byte that leads to it as its label.
bool has_value(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t label(uint32_t unit) { return unit & (uint32_t{1} << 31 | 0xFF); }
size_t offset(uint32_t unit) { return size_t{unit >> 10} << ((unit & uint32_t{1} << 9) >> 6); }
size_t value(uint32_t unit) { return unit & 0x7FFFFFFF; }

uint32_t number_at(std::string_view bytes, size_t at) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number |= uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return number;
}

}  // namespace

CharsMap::CharsMap(std::string_view blob, std::string_view what) {
  if (blob.empty()) return;
  const size_t size = blob.size() >= 4 ? number_at(blob, 0) : 0;
  if (size < 4 || size % 4 != 0 || size >= blob.size() - 4) {
    throw Error("{}: the map of characters has {} bytes, of which {} are its trie", what, blob.size(), size);
  }
  for (size_t at = 4; at < 4 + size; at += 4) units_.push_back(number_at(blob, at));
  texts_ = blob.substr(4 + size);
  if (texts_.back() != '\0') throw Error("{}: the map of characters ends within a text", what);
  check_utf8(texts_, what);
}

CharsMap::Found CharsMap::find(std::string_view text) const {
  Found found;
  if (units_.empty()) return found;
  size_t node = offset(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (node >= units_.size() || label(units_[node]) != byte) break;
    const uint32_t unit = units_[node];
    node ^= offset(unit);
    if (!has_value(unit)) continue;
    if (node >= units_.size()) break;
    const size_t begin = value(units_[node]);
    if (begin >= texts_.size() || (begin > 0 && continues_character(texts_[begin]))) break;
    found = {i + 1, std::string_view(texts_).substr(begin, texts_.find('\0', begin) - begin)};
  }
  return found;
}

}  // namespace tinyllm
