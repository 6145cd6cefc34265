#include <tinyllm/runtime/text_stream.h>

#include <tinyllm/tensor/base/utf8.h>

#include <utility>

namespace tinyllm {
namespace {

// The length of a text without an incomplete last character, whose first byte announces more bytes than there are.
size_t whole_characters(std::string_view text) {
  size_t start = text.size();
  while (start > 0 && text.size() - start < 4) {
    const unsigned byte = static_cast<unsigned char>(text[--start]);
    if (continues_character(text[start])) continue;
    const size_t promised = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return text.size() - start >= promised ? text.size() : start;
  }
  return text.size();
}

}  // namespace

TextStream::TextStream(const Tokenizer& tokenizer, std::vector<std::string> stop)
    : tokenizer_(tokenizer), stop_(std::move(stop)) {}

std::string TextStream::add(int32_t token) {
  if (stopped()) return {};
  bytes_ += tokenizer_.decode({&token, 1});
  const size_t end = whole_characters(bytes_);
  std::string text = stop_.add(replace_invalid_utf8(std::string_view(bytes_).substr(0, end)));
  bytes_.erase(0, stopped() ? bytes_.size() : end);
  return text;
}

std::string TextStream::broken_before(int32_t token) const {
  const std::string next = tokenizer_.decode({&token, 1});
  return next.empty() || continues_character(next[0]) ? "" : replace_invalid_utf8(bytes_);
}

std::string TextStream::finish() { return stop_.finish() + replace_invalid_utf8(std::exchange(bytes_, {})); }

}  // namespace tinyllm
