#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace tinyllm::search {

/// A part of a text, in bytes.
struct Span {
  size_t begin = 0;
  size_t end = 0;

  size_t size() const { return end - begin; }
};

/// The sentences of a text in order (`documents::first_sentence`), each on one line and without blanks around it.
std::vector<Span> sentences_of(std::string_view text);

}  // namespace tinyllm::search
