#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/train/questions/draft.h>
#include <tinyllm/train/questions/words.h>

#include <array>

namespace tinyllm::questions {
namespace {

// Words that no subject begins with.
constexpr std::array<std::string_view, 33> kNotFirst = {
    "if ",   "when ", "while ", "although ", "because ", "since ", "as ",   "in ",  "on ",   "at ",    "for ",
    "with ", "by ",   "to ",    "from ",     "but ",     "and ",   "or ",   "so ",  "what ", "which ", "who ",
    "how ",  "why ",  "where ", "there ",    "here ",    "one ",   "each ", "any ", "some ", "no ",    "not "};

// A subject as a question names it: without a capital letter in its article. Empty if this is none.
std::string subject_of(std::string_view text) {
  std::string subject = without_brackets(text);
  std::string lower = documents::lower_case(subject) + ' ';
  const auto words = std::count(lower.begin(), lower.end(), ' ');
  const bool begins_well = !subject.empty() && documents::is_ascii_alphanumeric(static_cast<unsigned char>(subject[0]));
  if (!begins_well || words > 8 || begins_with_one(lower, kNotFirst)) return {};
  constexpr std::array<std::string_view, 3> kArticles = {"A ", "An ", "The "};
  if (begins_with_one(subject, kArticles)) subject[0] = lower[0];
  return subject;
}

// X is a …: what X is. The sentence answers.
void add_definition(std::string_view sentence, std::string_view clause, std::vector<Draft>& drafts) {
  constexpr std::array<std::string_view, 3> kIs = {" is a ", " is an ", " refers to "};
  const FoundWord is = find_word(clause, kIs);
  if (!is) return;
  std::string subject = subject_of(clause.substr(0, is.at));
  if (subject.empty()) return;
  std::string question = fmt::format("What is {}?", subject);
  drafts.push_back({Rule::definition, std::move(subject), std::move(question), {0, sentence.size()}});
}

// The date at the end of a text, with its month and day if it has them; empty if there is none.
std::string_view date_at_end(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                        "May",       "June",     "July",     "August",
                                                        "September", "October",  "November", "December"};
  size_t begin = text.size();
  while (begin > 0 && documents::is_digit(static_cast<unsigned char>(text[begin - 1]))) --begin;
  if (text.size() - begin != 4) return {};
  for (const std::string_view month : kMonths) {
    const size_t at = text.substr(0, begin).rfind(month);
    if (at == text.npos) continue;
    const std::string_view between = text.substr(at + month.size(), begin - at - month.size());
    const bool is_day = between.find_first_not_of(" 0123456789,") == between.npos && between.size() <= 5;
    if (!is_day) continue;
    size_t first = at;  // "on 3 May 1953".
    while (first > 0 && (text[first - 1] == ' ' || documents::is_digit(static_cast<unsigned char>(text[first - 1])))) {
      --first;
    }
    while (text[first] == ' ') ++first;
    return text.substr(first);
  }
  return text.substr(begin);
}

// X was … in 1953: when.
void add_date(std::string_view sentence, std::vector<Draft>& drafts) {
  constexpr std::array<std::string_view, 2> kWas = {" was ", " were "};
  const std::string_view text = without_end(sentence);
  const std::string_view date = date_at_end(text);
  const FoundWord was = find_word(text, kWas);
  if (date.empty() || !was) return;
  const size_t begin = text.size() - date.size();
  constexpr std::array<std::string_view, 2> kPrepositions = {" in ", " on "};
  std::string_view rest = text.substr(0, begin);
  if (!ends_with_one(rest, kPrepositions)) return;
  rest.remove_suffix(4);
  if (rest.size() <= was.end()) return;
  rest.remove_prefix(was.end());
  std::string subject = subject_of(text.substr(0, was.at));
  if (subject.empty() || rest.find(',') != rest.npos) return;
  std::string question = fmt::format("When{}{} {}?", was.word, subject, rest);
  drafts.push_back({Rule::date, std::move(subject), std::move(question), {begin, text.size()}});
}

// X includes A, B and C: which ones. All of the list answers.
void add_list(std::string_view sentence, std::vector<Draft>& drafts) {
  struct Has {
    std::string_view word, asks, verb;
  };
  constexpr std::array kHas = {
      Has{" includes ", "What does ", "include"},       Has{" include ", "What do ", "include"},
      Has{" consists of ", "What does ", "consist of"}, Has{" consist of ", "What do ", "consist of"},
      Has{" contains ", "What does ", "contain"},       Has{" contain ", "What do ", "contain"}};
  const std::string_view text = without_end(sentence);
  for (const Has& has : kHas) {
    const size_t at = text.find(has.word);
    if (at == text.npos) continue;
    const size_t begin = at + has.word.size();
    const std::string_view list = text.substr(begin);
    std::string subject = subject_of(text.substr(0, at));
    if (subject.empty() || list.find(", ") == list.npos || list.find(" and ") == list.npos) return;
    std::string question = fmt::format("{}{} {}?", has.asks, subject, has.verb);
    drafts.push_back({Rule::list, std::move(subject), std::move(question), {begin, text.size()}});
    return;
  }
}

}  // namespace

void add_english_drafts(std::string_view sentence, std::vector<Draft>& drafts) {
  add_definition(sentence, opening_clause(without_end(sentence)), drafts);
  add_date(sentence, drafts);
  add_list(sentence, drafts);
}

}  // namespace tinyllm::questions
