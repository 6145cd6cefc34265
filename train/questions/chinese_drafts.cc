#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/train/questions/draft.h>
#include <tinyllm/train/questions/words.h>

#include <array>
#include <optional>

namespace tinyllm::questions {
namespace {

using documents::is_digit;
using search::Span;

// Words that no subject begins with: of time, place and connection.
constexpr std::array<std::string_view, 76> kNotFirst = {
    "但", "而",   "因",   "如",   "当",   "所以", "虽",   "然而", "同时", "此外", "另外", "由",   "在",
    "从", "对",   "为",   "以",   "根据", "按",   "据",   "除",   "随",   "通过", "截",   "至",   "自",
    "与", "和",   "及",   "或",   "并",   "且",   "若",   "只",   "即",   "不",   "没",   "有",   "也",
    "都", "就",   "还",   "又",   "再",   "最",   "更",   "首先", "其次", "例如", "比如", "譬如", "于",
    "等", "目前", "现在", "后来", "之",   "今",   "一般", "通常", "主要", "可",   "能",   "会",   "将",
    "被", "把",   "让",   "使",   "是",   "简单", "一些", "一个", "一种", "第",   "前"};
// Words that no subject ends with.
constexpr std::array<std::string_view, 42> kNotLast = {"也", "都", "就", "不", "则", "只", "还", "又", "便", "即", "乃",
                                                       "会", "将", "可", "才", "却", "并", "正", "仍", "已", "曾", "更",
                                                       "最", "很", "太", "的", "地", "得", "和", "与", "及", "或", "在",
                                                       "于", "、", "所", "由", "以", "从", "向", "再", "仅"};
constexpr std::array<std::string_view, 9> kAdverbs = {"曾经", "曾", "已经", "已", "便", "后来", "正式", "主要", "通常"};

char32_t last_character(std::string_view text) {
  if (text.empty()) return U' ';
  size_t at = text.size() - 1;
  while (at > 0 && continues_character(text[at])) --at;
  return next_character(text, at);
}

// The words before a verb without the adverbs at their end.
std::string_view without_adverbs(std::string_view text) {
  for (size_t i = 0; i < kAdverbs.size();) {
    const bool is_there = text.ends_with(kAdverbs[i]);
    if (is_there) text.remove_suffix(kAdverbs[i].size());
    i = is_there ? 0 : i + 1;
  }
  return text;
}

// A subject as a question names it; empty if this is none.
std::string subject_of(std::string_view text) {
  std::string subject = without_brackets(text);
  const int64_t size = count_of_characters(subject);
  if (size < 1 || size > 24) return {};
  size_t at = 0;
  const char32_t first = next_character(subject, at);
  const bool begins_well = documents::is_han(first) || documents::is_latin(first) || first == U'《' || first == U'“';
  const bool is_clause = subject.find("是") != subject.npos;
  if (!begins_well || is_clause || begins_with_one(subject, kNotFirst) || ends_with_one(subject, kNotLast)) return {};
  return subject;
}

void add(Rule rule, std::string subject, std::string_view after, Span answer, std::vector<Draft>& drafts) {
  if (subject.empty() || answer.begin >= answer.end) return;
  std::string question = fmt::format("{}{}", subject, after);
  drafts.push_back({rule, std::move(subject), std::move(question), answer});
}

// X是一种…: what X is. The sentence answers.
void add_definition(std::string_view sentence, std::string_view clause, std::vector<Draft>& drafts) {
  constexpr std::array<std::string_view, 22> kIs = {
      "是指",   "指的是", "是一种", "是一个", "是一类", "是一项", "是一款", "是一套", "是一组", "是一门", "是一座",
      "是一部", "是一家", "是一所", "是一条", "是一本", "是一首", "是一支", "是一片", "是一位", "是一名", "是一块"};
  constexpr std::array<std::string_view, 2> kPhrase = {"的", "在"};
  const FoundWord is = find_word(clause, kIs);
  if (!is) return;
  const std::string_view before = without_adverbs(clause.substr(0, is.at));
  const bool is_person = is.word == "是一位" || is.word == "是一名";
  const bool is_place = is_person && clause.substr(is.end()).starts_with("于");
  if (is_place || find_word(before, kPhrase)) return;
  add(Rule::definition, subject_of(before), is_person ? "是谁？" : "是什么？", {0, sentence.size()}, drafts);
}

size_t digits_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && is_digit(static_cast<unsigned char>(text[end]))) ++end;
  return end - at;
}

// A year of three or four digits, perhaps with its month and day.
std::optional<Span> date_at(std::string_view text, size_t at) {
  constexpr std::string_view kYear = "年", kMonth = "月", kDay = "日";
  const size_t begin = at;
  at += digits_at(text, at);
  if (at - begin < 3 || at - begin > 4 || !text.substr(at).starts_with(kYear)) return {};
  at += kYear.size();
  for (const std::string_view unit : {kMonth, kDay}) {
    const size_t digits = digits_at(text, at);
    if (digits < 1 || digits > 2 || !text.substr(at + digits).starts_with(unit)) break;
    at += digits + unit.size();
  }
  return Span{begin, at};
}

// X于2018年…, X成立于2018年: when.
void add_date(std::string_view clause, std::vector<Draft>& drafts) {
  // What makes a date part of a longer word, or a range.
  constexpr std::array<std::string_view, 30> kGoesOn = {"的", "至", "到", "—",  "–",  "-",  "~",  "、", "和", "与",
                                                        "起", "间", "代", "前", "后", "底", "初", "末", "以", "之",
                                                        "左", "（", "(",  "/",  "时", "年", "春", "夏", "秋", "冬"};
  constexpr std::array<std::string_view, 2> kPrepositions = {"于", "在"};
  for (FoundWord word = find_word(clause, kPrepositions); word; word = find_word(clause, kPrepositions, word.end())) {
    const std::optional<Span> date = date_at(clause, word.end());
    if (!date) continue;
    const std::string_view rest = clause.substr(date->end);
    const int64_t size = count_of_characters(rest);
    const bool is_last = size == 0 && word.word == "于";
    if (!is_last && (size < 2 || size > 24)) return;
    // A number after the date is mostly a time of the day, or another date.
    const bool has_number = std::any_of(rest.begin(), rest.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (begins_with_one(rest, kGoesOn) || rest.ends_with("的") || rest.find("后") != rest.npos ||
        rest.ends_with("时") || has_number)
      return;
    const std::string after = is_last ? "于什么时候？" : fmt::format("什么时候{}？", rest);
    return add(Rule::date, subject_of(without_adverbs(clause.substr(0, word.at))), after, *date, drafts);
  }
}

// X…55千米: how many. The one number of the clause, with its unit.
void add_amount(std::string_view clause, std::vector<Draft>& drafts) {
  constexpr std::array<std::string_view, 48> kUnits = {
      "平方公里", "平方千米", "平方米", "立方米", "公里", "千米",   "海里", "厘米", "毫米", "米", "公顷", "亩",
      "公斤",     "千克",     "毫克",   "克",     "吨",   "摄氏度", "度",   "人",   "名",   "位", "个月", "个",
      "家",       "所",       "座",     "条",     "项",   "部",     "集",   "层",   "岁",   "年", "天",   "小时",
      "分钟",     "秒",       "美元",   "欧元",   "日元", "港元",   "元",   "次",   "种",   "倍", "%",    "篇"};
  constexpr std::array<std::string_view, 8> kMultiples = {"多万", "余万", "万", "亿", "多", "余", "千", "百"};
  constexpr std::array<std::string_view, 7> kGoesOn = {"级", "分之", "来", "的", "间", "后", "前"};
  constexpr std::array<std::string_view, 5> kMore = {"及", "和", "、", "与", "或"};
  size_t begin = 0;
  while (begin < clause.size() && !is_digit(static_cast<unsigned char>(clause[begin]))) ++begin;
  size_t end = begin + digits_at(clause, begin);
  while (end < clause.size() && (clause[end] == '.' || clause[end] == ',') && digits_at(clause, end + 1) > 0) {
    end += 1 + digits_at(clause, end + 1);
  }
  const size_t number = end - begin;
  const std::string_view before = clause.substr(0, begin);
  if (number == 0 || !documents::is_han(last_character(before))) return;
  end += word_at_front(clause.substr(end), kMultiples).size();
  const std::string_view unit = word_at_front(clause.substr(end), kUnits);
  if (unit.empty() || (unit == "年" && number >= 3)) return;
  const std::string_view rest = clause.substr(end + unit.size());
  const bool has_another = std::any_of(rest.begin(), rest.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (has_another || find_word(rest, kMore) || begins_with_one(rest, kGoesOn) || count_of_characters(rest) > 16) return;
  const std::string after = unit == "%" ? fmt::format("百分之多少{}？", rest) : fmt::format("多少{}{}？", unit, rest);
  add(Rule::amount, subject_of(before), after, {begin, end + unit.size()}, drafts);
}

// X由Y开发: by whom, or of what.
void add_maker(std::string_view clause, std::vector<Draft>& drafts) {
  constexpr std::array<std::string_view, 26> kMakes = {
      "开发", "设计", "创建", "发明", "出版", "发行", "制作", "建造", "主持", "执导", "创作", "编写", "撰写",
      "演唱", "主演", "提出", "发起", "创立", "创办", "作曲", "作词", "编剧", "维护", "管理", "组成", "构成"};
  constexpr std::array<std::string_view, 7> kOtherWord = {"自", "理", "经", "缘", "因", "不", "来"};
  constexpr std::array<std::string_view, 11> kProfession = {"师",   "者", "家", "人", "商", "社",
                                                            "公司", "厂", "组", "局", "院"};
  constexpr std::array<std::string_view, 5> kNotMaker = {"于", "此", "来", "其", "他"};
  constexpr std::array<std::string_view, 8> kNotEnd = {"的", "所", "共同", "负责", "联合", "、", "和", "语言"};
  constexpr std::string_view kBy = "由", kIs = "是";
  const size_t at = clause.find(kBy);
  if (at == clause.npos || ends_with_one(clause.substr(0, at), kOtherWord)) return;
  const size_t begin = at + kBy.size();
  const FoundWord makes = find_word(clause, kMakes, begin);
  if (!makes || begins_with_one(clause.substr(makes.end()), kProfession)) return;
  std::string_view maker = clause.substr(begin, makes.at - begin);
  while (maker.ends_with(' ')) maker.remove_suffix(1);
  const int64_t size = count_of_characters(maker);
  if (size < 2 || size > 24 || begins_with_one(maker, kNotMaker) || ends_with_one(maker, kNotEnd)) return;
  std::string_view before = clause.substr(0, at);
  const bool has_is = before.ends_with(kIs);
  if (has_is) before.remove_suffix(kIs.size());
  const bool has_parts = makes.word == "组成" || makes.word == "构成";
  const std::string_view rest = clause.substr(makes.end());
  const bool is_long = rest.starts_with("的") || count_of_characters(rest) > 12;
  const std::string after = fmt::format("{}由{}{}{}？", has_is ? kIs : "", has_parts ? "什么" : "谁", makes.word,
                                        !is_long ? rest
                                        : has_is ? "的"
                                                 : "");
  add(Rule::maker, subject_of(without_adverbs(before)), after, {begin, begin + maker.size()}, drafts);
}

// X包括A、B和C: which ones. All of the list answers.
void add_list(std::string_view sentence, std::string_view clause, std::vector<Draft>& drafts) {
  constexpr std::array<std::string_view, 5> kHas = {"包括", "包含", "可分为", "分为", "分成"};
  constexpr std::array<std::string_view, 2> kMore = {"，", "；"};
  constexpr std::string_view kColon = "：";
  const FoundWord has = find_word(clause, kHas);
  if (!has) return;
  const std::string_view text = without_end(sentence);
  const size_t begin = has.end() + (text.substr(has.end()).starts_with(kColon) ? kColon.size() : 0);
  const std::string_view list = text.substr(begin);
  if (list.find("、") == list.npos || find_word(list, kMore)) return;
  add(Rule::list, subject_of(without_adverbs(clause.substr(0, has.at))), fmt::format("{}哪些？", has.word),
      {begin, text.size()}, drafts);
}

}  // namespace

void add_chinese_drafts(std::string_view sentence, std::vector<Draft>& drafts) {
  const std::string_view clause = opening_clause(without_end(sentence));
  add_definition(sentence, clause, drafts);
  add_maker(clause, drafts);
  add_date(clause, drafts);
  add_amount(clause, drafts);
  add_list(sentence, clause, drafts);
}

}  // namespace tinyllm::questions
