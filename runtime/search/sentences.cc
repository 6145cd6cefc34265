#include <tinyllm/runtime/search/sentences.h>

#include <tinyllm/runtime/documents/sentences.h>

#include <algorithm>

namespace tinyllm::search {
namespace {

constexpr std::string_view kWideBlank = "\u3000";

void add_trimmed(std::string_view text, size_t begin, size_t end, std::vector<Span>& spans) {
  const auto narrow = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (begin < end) {
    const std::string_view rest = text.substr(begin, end - begin);
    if (rest.starts_with(kWideBlank)) {
      begin += kWideBlank.size();
    } else if (narrow(rest.front())) {
      ++begin;
    } else if (rest.ends_with(kWideBlank)) {
      end -= kWideBlank.size();
    } else if (narrow(rest.back())) {
      --end;
    } else {
      spans.push_back({begin, end});
      return;
    }
  }
}

}  // namespace

std::vector<Span> sentences_of(std::string_view text) {
  std::vector<Span> spans;
  for (size_t begin = 0; begin < text.size();) {
    const size_t line = std::min(text.find('\n', begin), text.size());
    const size_t end = line > begin ? begin + documents::first_sentence(text.substr(begin, line - begin)) : begin + 1;
    add_trimmed(text, begin, end, spans);
    begin = end;
  }
  return spans;
}

}  // namespace tinyllm::search
