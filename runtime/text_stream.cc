#include <tinyllm/runtime/text_stream.h>

#include <tinyllm/tensor/base/error.h>

#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <utility>

namespace tinyllm {
namespace {

// In bytes. Each token costs up to the square of it.
constexpr size_t kMaxStop = 1024;

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

// The length of the longest end of a text that is a beginning of another one.
size_t begun(std::string_view text, std::string_view other) {
  for (size_t length = std::min(text.size(), other.size() - 1); length > 0; --length) {
    if (text.ends_with(other.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

TextStream::TextStream(const Tokenizer& tokenizer, std::vector<std::string> stop)
    : tokenizer_(tokenizer), stop_(std::move(stop)) {
  for (const std::string& text : stop_) {
    if (text.empty()) throw Error("stop string: is empty, expected some text");
    if (text.size() > kMaxStop) throw Error("stop string: has {} bytes, expected at most {}", text.size(), kMaxStop);
    check_utf8(text, "stop string");
  }
}

std::string TextStream::add(int32_t token) {
  if (stopped_) return {};
  pending_ += tokenizer_.decode({&token, 1});
  size_t end = pending_.size(), held = 0;
  for (const std::string& text : stop_) {
    const size_t found = pending_.find(text);
    stopped_ = stopped_ || found != std::string::npos;
    end = std::min(end, found);
    held = std::max(held, begun(pending_, text));
  }
  if (!stopped_) end = std::min(whole_characters(pending_), pending_.size() - held);
  std::string text = replace_invalid_utf8(std::string_view(pending_).substr(0, end));
  pending_.erase(0, stopped_ ? pending_.size() : end);
  return text;
}

std::string TextStream::finish() { return replace_invalid_utf8(std::exchange(pending_, {})); }

size_t TextStream::held() const {
  return replace_invalid_utf8(std::string_view(pending_).substr(0, whole_characters(pending_))).size();
}

}  // namespace tinyllm
