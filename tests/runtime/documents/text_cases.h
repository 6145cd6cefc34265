#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::test {

/// What a reader of some format makes of a source.
struct TextCase {
  std::string_view what;
  std::string source;
  std::string text;
};

template <class Read>
void check_cases(const Read& read, const std::vector<TextCase>& cases) {
  for (const TextCase& c : cases) {
    CAPTURE(c.what);
    CHECK(read(c.source) == c.text);
  }
}

inline std::string repeat(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

}  // namespace tinyllm::test
