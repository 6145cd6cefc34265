#include <tinyllm/model/text/jinja/answers.h>

#include <tinyllm/model/text/jinja/characters.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <map>

namespace tinyllm::jinja {
namespace {

// For each message, the bytes from its first to its last character. Text of the template may be in between, but not
// text of another message.
std::vector<Answer> spans_of_messages(const Text& text) {
  std::vector<Answer> spans;
  size_t begin = 0;
  for (const Text::Run& run : text.runs()) {
    const int32_t message = run.origin.source;
    if (message >= 0 && !spans.empty() && spans.back().message == message) {
      spans.back().end = run.end;
    } else if (message >= 0) {
      spans.push_back({begin, run.end, message});
    }
    begin = run.end;
  }
  return spans;
}

// The template's text after the last character of a message.
std::string_view tail_of(const Text& text) {
  const std::vector<Answer> spans = spans_of_messages(text);
  return text.bytes().substr(spans.empty() ? 0 : spans.back().end);
}

// Characters that markers consist of.
bool in_marker(char c) {
  return is_ascii_letter(c) || (c >= '0' && c <= '9') || std::string_view("<|[/_").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

// The common beginning of two texts.
struct Common {
  size_t size;
  bool whole;  // Whether it is one of the texts as a whole.
};
Common common_of(std::string_view a, std::string_view b) {
  const auto size = static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  return {size, size == a.size() || size == b.size()};
}

// The common beginning without an incomplete marker at its end: `<think>` and `<tool_call>` have nothing in common, not
// even `<t`.
size_t without_marker(std::string_view text, Common common) {
  while (!common.whole && common.size > 0 && in_marker(text[common.size - 1])) --common.size;
  return common.size;
}

// How many bytes of `gap`, the text after an answer, belong to the answer. `tail` is what follows the answer when it is
// the last message.
size_t size_of_end(std::string_view gap, std::string_view tail, std::string_view eos) {
  const size_t common = without_marker(gap, common_of(gap, tail));
  if (!eos.empty()) {
    const size_t at = gap.substr(0, std::max(common, eos.size())).find(eos);
    if (at != std::string_view::npos) return at + eos.size();
  }
  size_t end = common;
  while (end > 0 && is_space(static_cast<unsigned char>(gap[end - 1]))) --end;
  return end;
}

}  // namespace

std::vector<Answer> answers_of_blocks(const Text& text) {
  std::vector<Answer> answers;
  size_t begin = 0;
  for (const Text::Run& run : text.runs()) {
    if (run.origin.learned) {
      if (answers.empty() || answers.back().end != begin) answers.push_back({begin, run.end, kFromTemplate});
      answers.back().end = run.end;
      if (answers.back().message < 0) answers.back().message = std::max(run.origin.source, kFromTemplate);
    }
    begin = run.end;
  }
  return answers;
}

std::vector<Answer> answers_of_messages(const Text& text, std::string_view eos,
                                        const std::function<bool(int32_t message)>& is_answer,
                                        const std::function<Text(int32_t messages, bool prompt)>& render) {
  // How many bytes of `gap`, the text before an answer, belong to its prompt.
  const auto size_of_prompt = [&](std::string_view gap, int32_t message) {
    const Text with_prompt = render(message, true);
    if (with_prompt.empty()) return gap.size();
    const Common common = common_of(gap, tail_of(with_prompt));
    if (common.whole) return common.size;
    // The template writes other text here than in a prompt. Search for the text that the prompt adds.
    const Text without = render(message, false);
    std::string_view added = with_prompt.bytes();
    added.remove_prefix(added.starts_with(without.bytes()) ? without.size() : added.size());
    const size_t at = added.empty() ? gap.npos : gap.rfind(added);
    return at != gap.npos ? at + added.size() : without_marker(gap, common);
  };
  // Equal gaps are divided alike, so each different gap is worked out once. This saves most renderings.
  std::map<std::string_view, size_t> prompts;
  std::map<std::string_view, size_t> ends;
  const std::vector<Answer> spans = spans_of_messages(text);
  std::vector<Answer> answers;
  for (size_t i = 0; i < spans.size(); ++i) {
    const auto [begin, end, message] = spans[i];
    if (!is_answer(message)) continue;
    const size_t before = i > 0 ? spans[i - 1].end : 0;
    const size_t after = i + 1 < spans.size() ? spans[i + 1].begin : text.size();
    const std::string_view prompt = text.bytes().substr(before, begin - before);
    const std::string_view rest = text.bytes().substr(end, after - end);
    if (!prompts.contains(prompt)) prompts[prompt] = size_of_prompt(prompt, message);
    if (!ends.contains(rest)) ends[rest] = size_of_end(rest, tail_of(render(message + 1, false)), eos);
    answers.push_back({before + prompts[prompt], end + ends[rest], message});
  }
  return answers;
}

}  // namespace tinyllm::jinja
