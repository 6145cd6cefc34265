#include <tinyllm/train/questions/draft.h>

#include <tinyllm/train/questions/words.h>

namespace tinyllm::questions {
namespace {

constexpr std::array<std::string_view, 7> kEnds = {"。", "！", "？", "…", ".", "!", "?"};
constexpr std::array<std::string_view, 8> kQuotes = {"”", "’", "」", "』", "）", ")", "\"", "'"};

std::string_view without_quotes(std::string_view text) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view quote : kQuotes) {
      if (!text.ends_with(quote)) continue;
      text.remove_suffix(quote.size());
      again = true;
    }
  }
  return text;
}

}  // namespace

bool ends_as_sentence(std::string_view text) { return ends_with_one(without_quotes(text), kEnds); }

std::string_view without_end(std::string_view sentence) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view end : kEnds) {
      if (!sentence.ends_with(end)) continue;
      sentence.remove_suffix(end.size());
      again = true;
    }
  }
  return sentence;
}

std::vector<Draft> drafts_of(std::string_view sentence) {
  std::vector<Draft> drafts;
  if (!ends_as_sentence(sentence) || sentence.find('\t') != sentence.npos) return drafts;
  add_chinese_drafts(sentence, drafts);
  add_english_drafts(sentence, drafts);
  return drafts;
}

}  // namespace tinyllm::questions
