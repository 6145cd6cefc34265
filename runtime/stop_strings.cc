#include <tinyllm/runtime/stop_strings.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <utility>

namespace tinyllm {
namespace {

// In bytes. Each token costs up to the square of it.
constexpr size_t kMaxStop = 1024;

// The length of the longest end of a text that is a beginning of another one.
size_t begun(std::string_view text, std::string_view other) {
  for (size_t length = std::min(text.size(), other.size() - 1); length > 0; --length) {
    if (text.ends_with(other.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

StopStrings::StopStrings(std::vector<std::string> strings) : strings_(std::move(strings)) {
  for (const std::string& text : strings_) {
    if (text.empty()) throw Error("stop string: is empty, expected some text");
    if (text.size() > kMaxStop) throw Error("stop string: has {} bytes, expected at most {}", text.size(), kMaxStop);
    check_utf8(text, "stop string");
  }
}

std::string StopStrings::add(std::string_view text) {
  if (found_) return {};
  held_ += text;
  size_t end = held_.size(), begins = 0;
  for (size_t i = 0; i < strings_.size(); ++i) {
    const size_t at = held_.find(strings_[i]);
    if (at < end) {
      end = at;
      found_ = i;
    }
    begins = std::max(begins, begun(held_, strings_[i]));
  }
  if (!found_) end -= begins;
  std::string certain = held_.substr(0, end);
  held_.erase(0, found_ ? held_.size() : end);
  return certain;
}

std::string StopStrings::finish() { return std::exchange(held_, {}); }

}  // namespace tinyllm
