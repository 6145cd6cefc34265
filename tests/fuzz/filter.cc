// Rules of a filter up to the first zero byte, and a text after it: the text in one piece and in several passes alike.
#include <tinyllm/runtime/serve/filter.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const size_t zero = std::min(bytes.find('\0'), bytes.size());
  may_refuse([&] {
    const Filter filter(bytes.substr(0, std::min<size_t>(zero, 200)));
    const std::string text = replace_invalid_utf8(bytes.substr(std::min(zero + 1, bytes.size())));
    FilterStream whole(&filter), pieces(&filter);
    const std::string expected = whole.add(text, true);
    require(text.starts_with(expected) && (whole.has_matched() || expected == text));
    std::string found;
    for (size_t at = 0; at < text.size();) {
      size_t end = at;
      next_character(text, end);
      found += pieces.add(std::string_view(text).substr(at, end - at), false);
      at = end;
    }
    found += pieces.add("", true);
    require(found == expected && whole.has_matched() == pieces.has_matched());
  });
}
