#include <tinyllm/train/questions/filters.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/train/questions/words.h>

#include <array>

namespace tinyllm::questions {
namespace {

constexpr std::array<std::string_view, 52> kPointing = {
    "它",   "牠",   "某",   "他",   "她",   "这",   "那",   "其",   "此",   "该",   "本文", "本书", "本章",
    "本节", "本页", "本作", "本片", "本剧", "本站", "本市", "本县", "本区", "本镇", "本校", "本社", "本人",
    "我",   "咱",   "你",   "您",   "上述", "上文", "下文", "下面", "上面", "以上", "以下", "如下", "如上",
    "前者", "后者", "前文", "后文", "图中", "上图", "下图", "表中", "前述", "同年", "当年", "同时", "第几"};
constexpr std::array<std::string_view, 37> kPointingWords = {
    "this",      "that", "these",    "those",  "it",    "its",      "they",  "them", "their", "he",
    "his",       "him",  "she",      "her",    "we",    "us",       "our",   "you",  "your",  "i",
    "my",        "such", "former",   "latter", "above", "below",    "there", "here", "other", "another",
    "following", "next", "previous", "figure", "table", "former's", "same"};

bool has_pointing_word(std::string_view text) {
  const std::string lower = documents::lower_case(text);
  for (size_t at = 0; at < lower.size();) {
    size_t end = at;
    while (end < lower.size() &&
           (documents::is_ascii_letter(static_cast<unsigned char>(lower[end])) || lower[end] == '\'')) {
      ++end;
    }
    const std::string_view word = std::string_view(lower).substr(at, end - at);
    if (std::find(kPointingWords.begin(), kPointingWords.end(), word) != kPointingWords.end()) return true;
    at = std::max(end, at + 1);
  }
  return false;
}

bool is_broken(std::string_view text) {
  constexpr std::array<std::string_view, 8> kMarkup = {"\uFFFD", "http", "www.", "|", "{", "}", "<", "\t"};
  if (!is_balanced(text) || find_word(text, kMarkup)) return true;
  int64_t letters = 0, all = 0;
  for (size_t at = 0; at < text.size(); ++all) {
    const char32_t c = next_character(text, at);
    letters += documents::is_han(c) || documents::is_latin(c) || documents::is_digit(c) || documents::is_kana(c) ||
               documents::is_hangul(c) || documents::is_other_letter(c);
  }
  return 2 * letters < all;
}

bool is_between(std::string_view text, int64_t least, int64_t most) {
  const int64_t size = count_of_characters(text);
  return least <= size && size <= most;
}

}  // namespace

std::optional<Dropped> problem_with(std::string_view question, std::string_view answer) {
  if (!is_between(question, 6, 160) || !is_between(answer, 1, 400)) return Dropped::size;
  if (is_broken(question) || is_broken(answer)) return Dropped::broken;
  if (find_word(question, kPointing) || has_pointing_word(question)) return Dropped::not_alone;
  return {};
}

}  // namespace tinyllm::questions
