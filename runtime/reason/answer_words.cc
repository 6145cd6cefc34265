#include <tinyllm/runtime/reason/answer_words.h>
#include <tinyllm/runtime/reason/number_words.h>
#include <tinyllm/runtime/reason/plain_text.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tinyllm {
namespace {
using Word = std::u32string_view;

constexpr auto kWords = std::to_array<std::pair<Word, std::string_view>>({
    {U"无解", "no solution"},
    {U"没有解", "no solution"},
    {U"方程无解", "no solution"},
    {U"no solution", "no solution"},
    {U"no solutions", "no solution"},
    {U"there is no solution", "no solution"},
    {U"none", "none"},
    {U"没有", "none"},
    {U"是", "yes"},
    {U"是的", "yes"},
    {U"yes", "yes"},
    {U"否", "no"},
    {U"不是", "no"},
    {U"no", "no"},
    {U"对", "true"},
    {U"对的", "true"},
    {U"正确", "true"},
    {U"√", "true"},
    {U"true", "true"},
    {U"correct", "true"},
    {U"错", "false"},
    {U"错的", "false"},
    {U"错误", "false"},
    {U"不对", "false"},
    {U"不正确", "false"},
    {U"×", "false"},
    {U"false", "false"},
    {U"incorrect", "false"},
    {U"能", "can"},
    {U"可以", "can"},
    {U"can", "can"},
    {U"不能", "cannot"},
    {U"不可以", "cannot"},
    {U"cannot", "cannot"},
    {U"够", "enough"},
    {U"足够", "enough"},
    {U"enough", "enough"},
    {U"不够", "not enough"},
    {U"not enough", "not enough"},
    {U"大于", ">"},
    {U"greater than", ">"},
    {U">", ">"},
    {U"小于", "<"},
    {U"less than", "<"},
    {U"<", "<"},
    {U"等于", "="},
    {U"相等", "="},
    {U"equal", "="},
    {U"equal to", "="},
    {U"=", "="},
    {U"大于等于", "≥"},
    {U"大于或等于", "≥"},
    {U"≥", "≥"},
    {U">=", "≥"},
    {U"小于等于", "≤"},
    {U"小于或等于", "≤"},
    {U"≤", "≤"},
    {U"<=", "≤"},
});

// Of which the longer ones come first where one begins as another.
constexpr auto kLeads = std::to_array<Word>(
    {U"因此",     U"所以",     U"综上",      U"那么",   U"最终答案", U"正确选项", U"正确的选项", U"本题", U"正确答案",
     U"最后答案", U"参考答案", U"答案",      U"结果",   U"答:",      U"应该是",   U"应该",       U"应是", U"应选",
     U"故选",     U"选择",     U"选项",      U"打",     U"选",       U"故",       U"为:",        U"是:",  U"为",
     U"是",       U"等于",     U"therefore", U"thus",   U"hence",    U"so",       U"the",        U"my",   U"final",
     U"correct",  U"right",    U"answer",    U"option", U"choice",   U"result",   U"is"});

constexpr auto kBounds = std::to_array<Word>({U"大于",
                                              U"小于",
                                              U"大于等于",
                                              U"小于等于",
                                              U"不大于",
                                              U"不小于",
                                              U"超过",
                                              U"不超过",
                                              U"少于",
                                              U"多于",
                                              U"不少于",
                                              U"不多于",
                                              U"低于",
                                              U"高于",
                                              U"不低于",
                                              U"不高于",
                                              U"不足",
                                              U"不到",
                                              U"不满",
                                              U"至少",
                                              U"至多",
                                              U"最多",
                                              U"最少",
                                              U"接近",
                                              U"将近",
                                              U"不是",
                                              U"不等于",
                                              U"并非",
                                              U">",
                                              U"<",
                                              U"≥",
                                              U"≤",
                                              U"≠",
                                              U"at least",
                                              U"at most",
                                              U"more than",
                                              U"less than",
                                              U"fewer than",
                                              U"greater than",
                                              U"no more than",
                                              U"no less than",
                                              U"up to",
                                              U"not",
                                              U"isn't",
                                              U"nearly",
                                              U"almost",
                                              U"几",
                                              U"数",
                                              U"好几",
                                              U"第几",
                                              U"between",
                                              U"介于",
                                              U"不止",
                                              U"under",
                                              U"over",
                                              U"below",
                                              U"above"});
constexpr auto kGuesses =
    std::to_array<Word>({U"可能", U"也许", U"大概", U"或许", U"估计", U"好像", U"不确定", U"不知道", U"maybe",
                         U"perhaps", U"probably", U"possibly", U"not sure", U"guess"});
constexpr auto kBehind =
    std::to_array<Word>({U"以上",  U"以下", U"以内",     U"以外",    U"左右", U"上下",   U"多",      U"余",
                         U"几",    U"来",   U"或",       U"到",      U"至",   U"~",      U"or more", U"or less",
                         U"or so", U"or",   U"at least", U"at most", U"to",   U"and up", U"+"});
constexpr auto kAbout = std::to_array<Word>({U"大约等于", U"约等于", U"约为", U"约是", U"大约是", U"大约为", U"大约",
                                             U"约", U"≈", U"approximately", U"about", U"around", U"roughly"});
constexpr auto kUncounted =
    std::to_array<Word>({U"一共", U"一起", U"一样", U"一定", U"一般",   U"一直",     U"一些", U"一下", U"一次性",
                         U"统一", U"同一", U"唯一", U"万一", U"三角形", U"四边形",   U"一边", U"一面", U"一方",
                         U"一旦", U"一致", U"一切", U"之一", U"其一",   U"一次方程", U"两者", U"两地", U"两车"});
constexpr auto kFillers = std::to_array<Word>(
    {U"还剩下", U"一共有", U"一共", U"共有", U"总共", U"合计", U"还剩", U"剩下", U"剩余", U"还有", U"还要", U"还需",
     U"需要",   U"因此",   U"所以", U"大约", U"等于", U"可以", U"至少", U"最多", U"平均", U"面积", U"周长", U"体积",
     U"速度",   U"时间",   U"路程", U"距离", U"总价", U"单价", U"答案", U"结果", U"约",   U"答",   U"共",   U"剩",
     U"还",     U"有",     U"是",   U"为",   U"需",   U"要",   U"用",   U"花",   U"得",   U"能",   U"应",   U"了",
     U"的",     U"每",     U"在",   U"长",   U"宽",   U"高",   U"和",   U"它",   U"他",   U"她",   U"们"});

std::u32string lower(Word text) {
  std::u32string result(text.substr(0, 64));
  for (char32_t& c : result)
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  return result;
}

// A part in letters is a word only where no letter follows.
bool begins_with(Word text, Word part) {
  const std::u32string begin = lower(text);
  if (!Word(begin).starts_with(part)) return false;
  return !is_letter(part.back()) || text.size() == part.size() || !is_letter(text[part.size()]);
}

Word without_end(Word text, Word part) { return text.substr(0, text.size() - part.size()); }

Word without_blanks(Word text) {
  while (text.ends_with(U' ')) text.remove_suffix(1);
  while (text.starts_with(U' ')) text.remove_prefix(1);
  return text;
}
}  // namespace

std::optional<std::string_view> answer_word(Word text) {
  if (text.size() > 24) return {};
  const std::u32string low = lower(text);
  const auto* found = std::find_if(kWords.begin(), kWords.end(), [&](const auto& row) { return row.first == low; });
  return found == kWords.end() ? std::nullopt : std::optional(found->second);
}

Word without_lead(Word text) {
  for (;;) {
    const auto* found = std::find_if(kLeads.begin(), kLeads.end(), [&](Word lead) { return begins_with(text, lead); });
    if (found == kLeads.end()) return text;
    Word rest = text.substr(found->size());
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == ':' || rest.front() == ',')) rest.remove_prefix(1);
    if (rest.empty()) return text;
    text = rest;
  }
}

bool hedges_before(Word before) {
  for (const Word guess : kGuesses)
    if (before.find(guess) != Word::npos) return true;
  for (before = without_blanks(before);;) {
    const auto* about = std::find_if(kAbout.begin(), kAbout.end(), [&](Word word) { return before.ends_with(word); });
    if (about == kAbout.end()) break;
    before = without_blanks(without_end(before, *about));
  }
  const std::u32string tail = lower(before.size() > 64 ? before.substr(before.size() - 64) : before);
  return std::any_of(kBounds.begin(), kBounds.end(), [&](Word bound) {
    if (!Word(tail).ends_with(bound)) return false;
    const size_t begin = tail.size() - bound.size();
    return !is_letter(bound.front()) || begin == 0 || !is_letter(tail[begin - 1]);
  });
}

bool hedges_behind(Word behind) {
  behind = without_blanks(behind);
  // 5个以上: what is counted stands between.
  for (size_t skip = 0; skip <= 2 && skip <= behind.size(); ++skip) {
    if (skip > 0 && !is_hanzi(behind[skip - 1])) break;
    const Word rest = behind.substr(skip);
    for (const Word word : kBehind) {
      if (!begins_with(rest, word)) continue;
      if (skip == 0 || word.size() >= 2) return true;
    }
  }
  return false;
}

Word without_about(Word text) {
  for (;;) {
    const auto* found = std::find_if(kAbout.begin(), kAbout.end(), [&](Word word) { return begins_with(text, word); });
    if (found == kAbout.end()) return text;
    text = without_blanks(text.substr(found->size()));
  }
}

size_t uncounted_word(Word text, size_t at) {
  size_t end = at;
  if (at >= text.size() || (!digit_word(text[at]) && scale_word(text[at]) == 0)) return end;
  for (const Word word : kUncounted) {
    // The digit may be the second character, as in 统一.
    for (size_t before = 0; before < 2 && before <= at; ++before) {
      if (text.substr(at - before).starts_with(word) && word.size() > before)
        end = std::max(end, at - before + word.size());
    }
  }
  return end;
}

std::string names_in(Word before) {
  std::u32string names;
  for (size_t at = 0; at < before.size();) {
    const auto* filler =
        std::find_if(kFillers.begin(), kFillers.end(), [&](Word word) { return before.substr(at).starts_with(word); });
    const bool is_name = filler == kFillers.end() && is_hanzi(before[at]);
    if (is_name) {
      names += before[at];
    } else if (!names.empty() && names.back() != ' ') {
      names += U' ';
    }
    at += filler == kFillers.end() ? 1 : filler->size();
  }
  return utf8(without_blanks(names));
}

}  // namespace tinyllm
