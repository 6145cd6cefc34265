#include <tinyllm/model/text/jinja/answers.h>

#include <tinyllm/model/text/jinja/characters.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <map>

namespace tinyllm::jinja {
namespace {

// From the first to the last character of a message that stand together, but for text of the template.
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

// What the template writes after the last character of a message.
std::string_view tail_of(const Text& text) {
  const std::vector<Answer> spans = spans_of_messages(text);
  return text.bytes().substr(spans.empty() ? 0 : spans.back().end);
}

// Characters of which markers are made.
bool in_marker(char c) {
  return is_ascii_letter(c) || (c >= '0' && c <= '9') || std::string_view("<|[/_").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

// The size of what two texts begin with. Where both go on, and differ, it does not end within a marker: `<think>` and
// `<tool_call>` have nothing in common.
size_t common_size(std::string_view a, std::string_view b) {
  const auto size = static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  size_t common = size;
  if (size == a.size() || size == b.size()) return common;
  while (common > 0 && in_marker(a[common - 1])) --common;
  return common;
}

// The size of `gap`, which follows an answer, that belongs to the answer. `tail` follows it where it is the last one.
size_t size_of_end(std::string_view gap, std::string_view tail, std::string_view eos) {
  const size_t common = common_size(gap, tail);
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
  // A template may refuse the first messages alone; then only the text of a message is known to be the assistant's.
  const auto tail = [&](int32_t messages, bool prompt) -> std::string {
    try {
      return std::string(tail_of(render(messages, prompt)));
    } catch (const Error&) {
      return "";
    }
  };
  // The same text around two answers is divided in the same way, which saves most renderings.
  std::map<std::string_view, size_t> prompts;
  std::map<std::string_view, size_t> ends;
  std::vector<Answer> spans = spans_of_messages(text);
  std::vector<Answer> answers;
  for (size_t i = 0; i < spans.size(); ++i) {
    Answer answer = spans[i];
    if (!is_answer(answer.message)) continue;
    const size_t before = i > 0 ? spans[i - 1].end : 0;
    const size_t after = i + 1 < spans.size() ? spans[i + 1].begin : text.size();
    const std::string_view prompt = text.bytes().substr(before, answer.begin - before);
    const std::string_view end = text.bytes().substr(answer.end, after - answer.end);
    if (!prompts.contains(prompt)) {
      const std::string expected = tail(answer.message, true);
      prompts[prompt] = expected.empty() ? prompt.size() : common_size(prompt, expected);
    }
    if (!ends.contains(end)) ends[end] = size_of_end(end, tail(answer.message + 1, false), eos);
    answers.push_back({before + prompts[prompt], answer.end + ends[end], answer.message});
  }
  return answers;
}

}  // namespace tinyllm::jinja
