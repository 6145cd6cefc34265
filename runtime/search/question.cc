#include <tinyllm/runtime/search/question.h>

#include <algorithm>
#include <array>

namespace tinyllm::search {
namespace {

constexpr size_t kMostLetters = 256;  // Of a question, when runs are compared.

struct AskingWord {
  std::u32string_view word;
  Wanted wanted;
};

// The first that a question has decides. Folded, without blanks.
constexpr std::array kAskingWords = {AskingWord{U"什么时候", Wanted::time},  AskingWord{U"什么时间", Wanted::time},
                                     AskingWord{U"何时", Wanted::time},      AskingWord{U"哪一年", Wanted::time},
                                     AskingWord{U"哪年", Wanted::time},      AskingWord{U"哪一天", Wanted::time},
                                     AskingWord{U"哪天", Wanted::time},      AskingWord{U"几月", Wanted::time},
                                     AskingWord{U"几年", Wanted::number},    AskingWord{U"哪个月", Wanted::time},
                                     AskingWord{U"什么年代", Wanted::time},  AskingWord{U"whatyear", Wanted::time},
                                     AskingWord{U"when", Wanted::time},      AskingWord{U"为什么", Wanted::reason},
                                     AskingWord{U"为何", Wanted::reason},    AskingWord{U"什么原因", Wanted::reason},
                                     AskingWord{U"原因是", Wanted::reason},  AskingWord{U"why", Wanted::reason},
                                     AskingWord{U"多少", Wanted::number},    AskingWord{U"多长", Wanted::number},
                                     AskingWord{U"多高", Wanted::number},    AskingWord{U"多大", Wanted::number},
                                     AskingWord{U"多重", Wanted::number},    AskingWord{U"多远", Wanted::number},
                                     AskingWord{U"多久", Wanted::number},    AskingWord{U"第几", Wanted::number},
                                     AskingWord{U"几", Wanted::number},      AskingWord{U"howmany", Wanted::number},
                                     AskingWord{U"howmuch", Wanted::number}, AskingWord{U"howlong", Wanted::number},
                                     AskingWord{U"howold", Wanted::number},  AskingWord{U"谁", Wanted::person},
                                     AskingWord{U"哪位", Wanted::person},    AskingWord{U"何人", Wanted::person},
                                     AskingWord{U"什么人", Wanted::person},  AskingWord{U"who", Wanted::person},
                                     AskingWord{U"哪里", Wanted::place},     AskingWord{U"哪儿", Wanted::place},
                                     AskingWord{U"何处", Wanted::place},     AskingWord{U"何地", Wanted::place},
                                     AskingWord{U"什么地方", Wanted::place}, AskingWord{U"哪个国家", Wanted::place},
                                     AskingWord{U"哪个城市", Wanted::place}, AskingWord{U"哪国", Wanted::place},
                                     AskingWord{U"哪个省", Wanted::place},   AskingWord{U"where", Wanted::place}};

// Where the thing that is asked for is named, which the words after these say.
constexpr std::array<std::u32string_view, 6> kWhich = {U"哪个", U"哪些", U"什么", U"哪一", U"多少", U"哪"};
constexpr std::array<std::u32string_view, 6> kIsWhat = {U"是什么", U"是谁", U"是哪", U"是多少", U"有哪些", U"是何"};
constexpr size_t kNear = 4;  // Letters.

constexpr std::array<std::u32string_view, 5> kDefineFirst = {U"什么是", U"何谓", U"何为", U"whatis", U"whatare"};
constexpr std::array<std::u32string_view, 4> kDefineLast = {U"是什么意思", U"指的是什么", U"是指什么", U"是什么"};
constexpr std::array<std::u32string_view, 6> kIs = {U"是", U"指", U"即", U"为", U"is", U"are"};

constexpr std::u32string_view kNumerals = U"零〇一二三四五六七八九十百千万亿两";
constexpr std::u32string_view kTimeUnits = U"年月日号世纪时点";
constexpr std::u32string_view kPlaces = U"国省市县区州岛镇村山河湖路街洲海港城";
constexpr std::u32string_view kSurnames =
    U"王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁沈任姚卢傅钟姜崔"
    U"谭廖范汪陆金石戴";
constexpr std::u32string_view kPeople = U"人者帝王师家员长父母子";
constexpr std::u32string_view kReasons = U"因由故致使";

bool is_in(char32_t c, std::u32string_view set) { return set.find(c) != set.npos; }
bool is_numeral(char32_t c) { return (c >= '0' && c <= '9') || is_in(c, kNumerals); }

std::u32string without_blanks(std::u32string text) {
  std::erase(text, U' ');
  return text;
}

// Whether the text has a number that is not in the question, for times one with a unit of time.
bool has_number(std::u32string_view text, std::u32string_view question, bool is_time) {
  for (size_t i = 0; i < text.size();) {
    if (!is_numeral(text[i])) {
      ++i;
      continue;
    }
    const size_t begin = i;
    while (i < text.size() && is_numeral(text[i])) ++i;
    if (is_time && (i == text.size() || !is_in(text[i], kTimeUnits)) && i - begin != 4) continue;
    if (question.find(text.substr(begin, i - begin)) == question.npos) return true;
  }
  return false;
}

bool has_one_of(std::u32string_view text, std::u32string_view question, std::u32string_view set) {
  return std::any_of(text.begin(), text.end(),
                     [&](char32_t c) { return is_in(c, set) && question.find(c) == question.npos; });
}

size_t longest_run(std::u32string_view a, std::u32string_view b) {
  std::array<uint16_t, kMostLetters + 1> ends{};  // Of the runs that end before each letter of b.
  uint16_t longest = 0;
  for (const char32_t c : a) {
    for (size_t j = b.size(); j-- > 0;) {
      ends[j + 1] = c == b[j] ? static_cast<uint16_t>(ends[j] + 1) : uint16_t{0};
      longest = std::max(longest, ends[j + 1]);
    }
  }
  return longest;
}

// The letters that say what is asked for.
std::u32string focus_of(std::u32string_view question) {
  for (const std::u32string_view word : kIsWhat) {
    if (const size_t at = question.rfind(word); at != question.npos && at + word.size() + 1 >= question.size()) {
      const size_t begin = at > kNear ? at - kNear : 0;
      return std::u32string(question.substr(begin, at - begin));
    }
  }
  for (const std::u32string_view word : kWhich) {
    if (const size_t at = question.find(word); at != question.npos) {
      return std::u32string(question.substr(at + word.size(), kNear));
    }
  }
  return {};
}

// What is to be defined, if a question asks for that: "服务网格" in 什么是服务网格？, and nothing in 它的别名是什么？
std::u32string subject_of(std::u32string_view question) {
  constexpr size_t kMostOfSubject = 16;
  for (const std::u32string_view word : kDefineFirst) {
    if (!question.starts_with(word)) continue;
    question.remove_prefix(word.size());
    return question.size() <= kMostOfSubject ? std::u32string(question) : std::u32string();
  }
  for (const std::u32string_view word : kDefineLast) {
    if (!question.ends_with(word)) continue;
    question.remove_suffix(word.size());
    const bool is_subject = question.size() <= kMostOfSubject && question.find(U'的') == question.npos;
    return is_subject ? std::u32string(question) : std::u32string();
  }
  return {};
}

// Whether a text begins to say what the subject is.
bool defines(std::u32string_view text, std::u32string_view subject) {
  const size_t at = text.find(subject);
  if (at == text.npos || at > subject.size()) return false;
  const std::u32string_view rest = text.substr(at + subject.size(), 8);
  return std::any_of(kIs.begin(), kIs.end(), [&](std::u32string_view is) { return rest.find(is) != rest.npos; });
}

}  // namespace

Question::Question(std::string_view question, const std::vector<Term>& terms)
    : letters_(without_blanks(folded(question)).substr(0, kMostLetters)) {
  append_grams(question, all_);
  std::sort(all_.begin(), all_.end());
  all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
  const std::u32string focus = focus_of(letters_);
  for (const Term& term : terms) {
    index_of_.emplace(term.gram, static_cast<int>(idf_.size()));
    idf_.push_back(term.idf);
    sum_ += term.idf;
  }
  for (size_t i = 0; i < focus.size(); ++i) {
    for (const Gram gram : {Gram{focus[i]}, i + 1 < focus.size() ? pair_of(focus[i], focus[i + 1]) : Gram{0}}) {
      if (const auto found = index_of_.find(gram); found != index_of_.end()) focus_ |= uint64_t{1} << found->second;
    }
  }
  subject_ = subject_of(letters_);
  if (!subject_.empty()) {
    wanted_ = Wanted::definition;
    return;
  }
  for (const AskingWord& asking : kAskingWords) {
    if (letters_.find(asking.word) == letters_.npos) continue;
    wanted_ = asking.wanted;
    break;
  }
}

float Question::coverage(uint64_t terms) const {
  double sum = 0;
  for (size_t i = 0; i < idf_.size(); ++i) sum += (terms >> i & 1) != 0 ? idf_[i] : 0;
  return sum_ > 0 ? static_cast<float>(sum / sum_) : 0;
}

float Question::focus(uint64_t terms) const {
  double sum = 0, all = 0;
  for (size_t i = 0; i < idf_.size(); ++i) {
    if ((focus_ >> i & 1) == 0) continue;
    all += idf_[i];
    sum += (terms >> i & 1) != 0 ? idf_[i] : 0;
  }
  return all > 0 ? static_cast<float>(sum / all) : 0;
}

float Question::rarest_missing(uint64_t terms) const {
  double missing = 0, most = 0;
  for (size_t i = 0; i < idf_.size(); ++i) {
    most = std::max(most, idf_[i]);
    if ((terms >> i & 1) == 0) missing = std::max(missing, idf_[i]);
  }
  return most > 0 ? static_cast<float>(missing / most) : 1;
}

float Question::share_of(std::string_view text) const {
  std::vector<Gram> grams;
  append_grams(text, grams);
  if (grams.empty()) return 0;
  const auto known = std::count_if(grams.begin(), grams.end(),
                                   [&](Gram gram) { return std::binary_search(all_.begin(), all_.end(), gram); });
  return static_cast<float>(known) / static_cast<float>(grams.size());
}

Match Question::match(std::string_view text) const {
  Match match;
  std::vector<Gram> grams;
  append_grams(text, grams);
  int64_t known = 0;
  for (const Gram gram : grams) {
    if (const auto found = index_of_.find(gram); found != index_of_.end()) {
      match.terms |= uint64_t{1} << found->second;
      ++known;
    }
  }
  match.precision = static_cast<float>(known) / static_cast<float>(std::max<size_t>(grams.size(), 1));
  const std::u32string letters = without_blanks(folded(text));
  match.letters = std::ssize(letters);
  match.run =
      static_cast<float>(longest_run(letters, letters_)) / static_cast<float>(std::max<size_t>(letters_.size(), 1));
  switch (wanted_) {
    case Wanted::anything:
      break;
    case Wanted::number:
      match.has_wanted = has_number(letters, letters_, false);
      break;
    case Wanted::time:
      match.has_wanted = has_number(letters, letters_, true);
      break;
    case Wanted::person:
      match.has_wanted = has_one_of(letters, letters_, kSurnames) || has_one_of(letters, letters_, kPeople) ||
                         text.find("·") != text.npos;
      break;
    case Wanted::place:
      match.has_wanted = has_one_of(letters, letters_, kPlaces);
      break;
    case Wanted::definition:
      match.has_wanted = defines(letters, subject_);
      break;
    case Wanted::reason:
      match.has_wanted = has_one_of(letters, letters_, kReasons);
      break;
  }
  return match;
}

}  // namespace tinyllm::search
