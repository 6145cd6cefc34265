#include <tinyllm/runtime/reason/answer.h>

#include <algorithm>
#include <array>

namespace tinyllm {
namespace {
using Text = std::string_view;

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

Text trimmed(Text text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool starts_with(Text text, size_t at, Text part) { return text.substr(std::min(at, text.size())).starts_with(part); }
bool starts_with_any_case(Text text, size_t at, Text part) {
  if (at + part.size() > text.size()) return false;
  return std::equal(part.begin(), part.end(), text.begin() + static_cast<ptrdiff_t>(at),
                    [](char a, char b) { return a == lower(b); });
}

// Where another question or turn begins after the answer.
size_t run_on(Text text) {
  constexpr auto kTurns = std::to_array<Text>({"<|sep|>", "<|user|>", "<|im_end|>", "<|im_start|>", "<|eot_id|>",
                                               "<|end|>", "<|endoftext|>", "<|end_of_text|>", "</s>", "[INST]"});
  constexpr auto kQuestions = std::to_array<Text>(
      {"Question:", "Q:", "问题：", "问题:", "题目：", "题目:", "User:", "Human:", "用户：", "用户:"});
  bool has_begun = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (!has_begun) {
      // The turn of the assistant itself may begin with a marker.
      has_begun = !is_blank(text[at]);
      if (has_begun && text[at] != '<') continue;
      if (!has_begun) continue;
      const size_t close = text.find("|>", at);
      if (starts_with(text, at, "<|") && close != Text::npos && close - at < 32) {
        at = close + 1;
        has_begun = false;
      }
      continue;
    }
    const auto begins = [&](Text part) { return starts_with(text, at, part); };
    if ((text[at] == '<' || text[at] == '[') && std::any_of(kTurns.begin(), kTurns.end(), begins)) return at;
    const bool after_line = text[at - 1] == '\n';
    const bool after_sentence = text[at - 1] == ' ' && at > 1 && text[at - 2] == '.';
    const bool after_mark = starts_with(text, at - std::min<size_t>(at, 3), "。");
    if (!after_line && !after_sentence && !after_mark) continue;
    for (const Text question : kQuestions)
      if (begins(question) && (after_line || question.size() > 2)) return at;
  }
  return text.size();
}

Text first_line(Text text) {
  text = trimmed(text);
  return trimmed(text.substr(0, text.find('\n')));
}

// Up to the end of the first sentence; a point between digits ends none.
Text first_sentence(Text line) {
  size_t end = line.size();
  for (const Text mark : {"。", "；", "！", "，因为", "，所以", ",因为", " because", ", because", ", since"})
    end = std::min(end, line.find(mark));
  for (size_t at = line.find(". "); at != Text::npos && at < end; at = line.find(". ", at + 1)) {
    // "B. 苹果" and "1. 5" go on.
    const bool is_label = at == 1 || (at == 2 && line[0] == '(');
    if (!is_label) end = at;
  }
  return trimmed(line.substr(0, end));
}

struct Found {
  AnswerMarker marker = AnswerMarker::none;
  size_t at = 0;
  Text text = {};
};

void later(Found& best, AnswerMarker marker, size_t at, Text text) {
  if (best.marker == AnswerMarker::none || at >= best.at) best = {marker, at, text};
}

void find_section(Text said, Found& best) {
  constexpr Text kMarker = "【最终答案】";
  const size_t at = said.rfind(kMarker);
  if (at == Text::npos) return;
  later(best, AnswerMarker::section, at, first_line(said.substr(at + kMarker.size())));
}

// The text in braces whose first one is at `open`; nothing if they are not closed.
std::optional<Text> braces(Text said, size_t open) {
  int depth = 0;
  for (size_t at = open; at < said.size(); ++at) {
    if (said[at] == '\\') {
      ++at;
    } else if (said[at] == '{') {
      ++depth;
    } else if (said[at] == '}' && --depth == 0) {
      return said.substr(open + 1, at - open - 1);
    }
  }
  return {};
}

void find_box(Text said, Found& best) {
  for (const Text name : {"\\boxed", "\\fbox"}) {
    for (size_t from = Text::npos;;) {
      const size_t at = said.rfind(name, from);
      if (at == Text::npos) break;
      size_t open = at + name.size();
      while (open < said.size() && said[open] == ' ') ++open;
      if (open < said.size() && said[open] == '{') {
        if (const std::optional<Text> inside = braces(said, open)) {
          later(best, AnswerMarker::box, at, trimmed(*inside));
          break;
        }
      }
      // Only the last box may be cut off; this keeps the search linear.
      if (from != Text::npos || at == 0) break;
      from = at - 1;
    }
  }
}

void find_tag(Text said, Found& best) {
  constexpr Text kOpen = "<answer>";
  const size_t at = said.rfind(kOpen);
  if (at == Text::npos) return;
  const Text inside = said.substr(at + kOpen.size());
  later(best, AnswerMarker::tag, at, trimmed(inside.substr(0, inside.find("</answer>"))));
}

// From the last `####` to the first, so that each byte is looked at once, however many stand in a line.
void find_hashes(Text said, Found& best) {
  size_t seen = said.size();
  size_t line_end = Text::npos;  // Of what was seen of a line, without blanks at its end,
  bool has_digit = false;        // and whether that has a digit.
  for (size_t at = said.rfind("####"); at != Text::npos; at = at == 0 ? Text::npos : said.rfind("####", at - 1)) {
    for (; seen > at; --seen) {
      const char c = said[seen - 1];
      if (c == '\n') {
        line_end = Text::npos;
        has_digit = false;
        continue;
      }
      if (line_end == Text::npos && !is_blank(c)) line_end = seen;
      has_digit |= c >= '0' && c <= '9';
    }
    if (at > 0 && said[at - 1] == '#') continue;
    if (starts_with(said, at, "#####")) continue;
    const Text line = trimmed(said.substr(at + 4, line_end - (at + 4)));
    const bool is_heading = line.size() > 3 && !has_digit;  // A heading of Markdown.
    if (is_heading) continue;
    later(best, AnswerMarker::hashes, at, line);
    return;
  }
}

// Where a phrase that begins at `at` ends; 0 if none does.
size_t phrase_end(Text said, size_t at) {
  constexpr auto kPhrases =
      std::to_array<Text>({"答案：", "答案:", "答案是", "答案为", "答案应为", "答案应该是", "答案选", "答案＝",
                           "答案=", "答：", "答:", "故选", "应选", "因此选", "所以选", "选择："});
  if (static_cast<unsigned char>(said[at]) >= 0x80) {
    for (const Text phrase : kPhrases) {
      if (!starts_with(said, at, phrase)) continue;
      return at + phrase.size();
    }
    return 0;
  }
  if (lower(said[at]) != 'a' || (at > 0 && is_ascii_letter(said[at - 1]))) return 0;
  if (!starts_with_any_case(said, at, "answer")) return 0;
  size_t end = at + 6;
  const auto markup = [&] {
    while (end < said.size() && (said[end] == ' ' || said[end] == '*')) ++end;
  };
  markup();
  if (starts_with(said, end, ":")) return end + 1;
  if (starts_with(said, end, "：")) return end + 3;
  if (starts_with_any_case(said, end, "is") && end + 2 < said.size() && !is_ascii_letter(said[end + 2])) return end + 2;
  return 0;
}

void find_phrase(Text said, Found& best) {
  for (size_t at = said.size(); at-- > 0;) {
    const size_t end = phrase_end(said, at);
    if (end == 0) continue;
    size_t begin = end;
    while (begin < said.size() && (said[begin] == ' ' || said[begin] == '*' || said[begin] == ':')) ++begin;
    if (starts_with(said, begin, "：")) begin += Text("：").size();
    later(best, AnswerMarker::phrase, at, first_sentence(first_line(said.substr(begin))));
    return;
  }
}

// Whether a statement has a number, in digits or words.
bool has_number(Text text) {
  if (text.find_first_of("0123456789") != Text::npos) return true;
  for (const Text digit : {"一", "二", "两", "三", "四", "五", "六", "七", "八", "九", "十",
                           "半", "０", "１", "２", "３", "４", "５", "６", "７", "８", "９"})
    if (text.find(digit) != Text::npos) return true;
  return false;
}

ExtractedAnswer without_marker(Text said) {
  said = trimmed(said);
  if (said.empty()) return {};
  Text last = said;
  bool is_whole = true;
  for (size_t end = said.size(); end > 0;) {
    // The statement before `end`.
    size_t begin = end;
    for (; begin > 0; --begin) {
      const bool after_line = said[begin - 1] == '\n';
      const bool after_point = begin >= 2 && said[begin - 1] == ' ' &&
                               (said[begin - 2] == '.' || said[begin - 2] == '!' || said[begin - 2] == '?');
      const bool is_label = after_point && begin <= 3 && said[begin - 2] == '.';  // B. 苹果
      const Text before = said.substr(0, begin);
      const bool after_mark =
          before.ends_with("。") || before.ends_with("！") || before.ends_with("？") || before.ends_with("；");
      if (begin < end && !is_label && (after_line || after_point || after_mark)) break;
    }
    const Text statement = trimmed(said.substr(begin, end - begin));
    is_whole = is_whole && begin == 0;
    if (is_whole) return {AnswerMarker::whole, said};
    if (has_number(statement)) return {AnswerMarker::fallback, statement};
    is_whole = false;
    end = begin;
    last = statement;
  }
  return {AnswerMarker::fallback, last};
}
}  // namespace

ExtractedAnswer extract_answer(std::string_view said) {
  constexpr Text kThinkEnd = "</think>";
  // What runs on does so after the thinking, which may have questions of its own.
  const size_t first_end = said.find(kThinkEnd);
  const size_t spoken = first_end == Text::npos ? 0 : first_end + kThinkEnd.size();
  said = said.substr(0, spoken + run_on(said.substr(spoken)));
  const size_t last_end = said.rfind(kThinkEnd);
  if (last_end != Text::npos) said = said.substr(last_end + kThinkEnd.size());
  if (said.find("<think>") != Text::npos) return {};  // It never ended.

  Found best;
  find_section(said, best);
  const bool has_section = best.marker == AnswerMarker::section;
  find_box(said, best);
  find_tag(said, best);
  find_hashes(said, best);
  if (!has_section) find_phrase(said, best);
  if (best.marker == AnswerMarker::none) return without_marker(said);
  Text text = best.text;
  if (best.marker == AnswerMarker::section) text = first_sentence(text);
  if (text.empty()) return {};
  return {best.marker, text};
}

}  // namespace tinyllm
