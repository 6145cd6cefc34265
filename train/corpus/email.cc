#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/train/corpus/email.h>

#include <algorithm>
#include <array>

namespace tinyllm::corpus {

using namespace documents;
namespace {

constexpr size_t kLongestName = 64 * 4;     // Bytes; RFC 5321 has 64 characters
constexpr size_t kLongestDomain = 255 * 4;  // and 255.

// From the internationalised zones that IANA lists, those for Chinese.
constexpr std::array<std::string_view, 18> kChineseZones = {"公司", "中国",   "中國",   "网络", "網絡", "网址",
                                                            "在线", "中文网", "集团",   "商城", "香港", "台湾",
                                                            "台灣", "澳門",   "新加坡", "手机", "公益", "企业"};

bool is_letter(char32_t c) {
  return c < 0x80 ? is_ascii_alphanumeric(c) : is_latin(c) || is_other_letter(c) || is_hangul(c) || is_kana(c);
}
bool is_mark_of_name(char32_t c) {
  return c < 0x80 && std::string_view("._-+%'").find(static_cast<char>(c)) != std::string_view::npos;
}

// The first byte of the character that ends before `at`.
size_t before(std::string_view text, size_t at) {
  do --at;
  while (at > 0 && continues_character(text[at]));
  return at;
}

char32_t character_at(std::string_view text, size_t at) { return next_character(text, at); }

size_t chinese_zone(std::string_view text) {
  for (const std::string_view zone : kChineseZones) {
    if (text.starts_with(zone)) return zone.size();
  }
  return 0;
}

// The end of the part of a domain that begins at `at`. A word of another script ends where Chinese goes on.
size_t label_end(std::string_view text, size_t at) {
  const bool is_chinese = at < text.size() && is_han(character_at(text, at));
  for (size_t next = at; at < text.size(); at = next) {
    const char32_t c = next_character(text, next);
    if (c != '-' && !is_letter(c) && !(is_chinese && is_han(c))) break;
  }
  return at;
}

// Two letters or more, not of Chinese, without digits but for the ASCII form of other scripts.
bool may_be_zone(std::string_view label) {
  if (label.starts_with("xn--")) return true;
  const auto is_bad = [](char c) { return c == '-' || is_digit(static_cast<unsigned char>(c)); };
  return count_of_characters(label) >= 2 && !is_han(character_at(label, 0)) &&
         std::none_of(label.begin(), label.end(), is_bad);
}

}  // namespace

size_t email_begin(std::string_view text, size_t least, size_t sign) {
  least = std::max(least, sign - std::min(sign, kLongestName));
  while (least < sign && continues_character(text[least])) ++least;
  size_t begin = sign;
  if (sign > least && is_han(character_at(text, before(text, sign)))) {
    constexpr int kMostHan = 4;
    for (int i = 0; i < kMostHan && begin > least && is_han(character_at(text, before(text, begin))); ++i) {
      begin = before(text, begin);
    }
    return begin;
  }
  while (begin > least) {
    const size_t previous = before(text, begin);
    const char32_t c = character_at(text, previous);
    if (!is_letter(c) && !is_mark_of_name(c)) break;
    begin = previous;
  }
  while (begin < sign && text[begin] == '\'') ++begin;  // A quote before the address.
  for (size_t at = begin; at < sign; ++at) {
    if (!continues_character(text[at]) && is_letter(character_at(text, at))) return begin;
  }
  return sign;
}

size_t email_end(std::string_view text, size_t sign) {
  text = text.substr(0, character_cut(text, sign + kLongestDomain));
  size_t end = sign;  // Of the domain so far, when its last label may be a top-level domain.
  bool is_first = true;
  for (size_t at = sign + 1; at < text.size(); ++at, is_first = false) {
    const size_t zone = is_first ? 0 : chinese_zone(text.substr(at));
    if (zone > 0) return at + zone;
    const size_t label = at;
    at = label_end(text, at);
    if (!is_first && may_be_zone(text.substr(label, at - label))) end = at;
    if (at == label || at == text.size() || text[at] != '.') break;
  }
  return end;
}

}  // namespace tinyllm::corpus
