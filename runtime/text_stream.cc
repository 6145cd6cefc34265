#include <tinyllm/runtime/text_stream.h>

#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
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

// At the front of a text where no character begins: the bytes that would begin one if it went on otherwise, at least 1.
size_t broken_length(std::string_view text) {
  for (size_t length = std::min<size_t>(3, text.size()); length > 1; --length) {
    // From the third byte on, a character takes any that continues one.
    for (size_t size = length + 1; size <= 4; ++size) {
      const std::string whole = std::string(text.substr(0, length)).append(size - length, '\x80');
      if (count_of_characters(whole) == 1 && valid_utf8(whole) == size) return length;
    }
  }
  return 1;
}

}  // namespace

std::string replace_broken_characters(std::string_view text) {
  std::string result;
  for (;;) {
    const size_t valid = valid_utf8(text);
    result += text.substr(0, valid);
    text.remove_prefix(valid);
    if (text.empty()) return result;
    result += "\uFFFD";
    text.remove_prefix(broken_length(text));
  }
}

TextStream::TextStream(const Tokenizer& tokenizer, std::vector<std::string> stop)
    : tokenizer_(tokenizer), stop_(std::move(stop)) {}

std::string TextStream::add(int32_t token) {
  if (stopped()) return {};
  bytes_ += tokenizer_.decode({&token, 1});
  const size_t end = whole_characters(bytes_);
  std::string text = stop_.add(replace_broken_characters(std::string_view(bytes_).substr(0, end)));
  bytes_.erase(0, stopped() ? bytes_.size() : end);
  return text;
}

std::string TextStream::broken_before(int32_t token) const {
  const std::string next = tokenizer_.decode({&token, 1});
  return next.empty() || continues_character(next[0]) ? "" : replace_broken_characters(bytes_);
}

std::string TextStream::finish() { return stop_.finish() + replace_broken_characters(std::exchange(bytes_, {})); }

}  // namespace tinyllm
