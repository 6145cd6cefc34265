// A regular expression from outside, up to a NUL, and a text in which it is searched.
#include <tinyllm/model/text/regex/regex.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"

#include <algorithm>

void tinyllm::test::fuzz(std::string_view bytes) {
  const size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::string text = replace_invalid_utf8(end < bytes.size() ? bytes.substr(end + 1) : "It's 12 今天 é\n\n  x");
  may_refuse([&] {
    const Regex regex(bytes.substr(0, end));
    Regex::Search search(regex, text);
    size_t last = 0;
    for (Regex::Match match; search.next(match); last = match.end) {
      require(match.begin >= last && match.end >= match.begin && match.end <= text.size());
      require(match.begin == text.size() || !continues_character(text[match.begin]));
      require(match.end == text.size() || !continues_character(text[match.end]));
    }
  });
}
