#include <tinyllm/model/text/spm/spm_normalizer.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm {
namespace {

// A map may lengthen a text up to this size.
constexpr size_t kMostBytes = size_t{1} << 31;

}  // namespace

std::string SpmNormalizer::apply(std::string_view text, const TextTrie& kept) const {
  const std::string_view blank = escape_blanks ? "\u2581" : " ";
  // Reads the next part of the text, and returns what replaces it.
  const auto next = [&](size_t& at) -> std::string_view {
    const std::string_view rest = text.substr(at);
    if (const size_t length = kept.longest(rest).length; length > 0) {
      at += length;
      return rest.substr(0, length);
    }
    const CharsMap::Found found = map.find(rest);
    // A sequence that ends within a character is ignored: the bytes after it would not be valid UTF-8.
    if (found.length > 0 && (found.length == rest.size() || !continues_character(rest[found.length]))) {
      at += found.length;
      return found.text;
    }
    const size_t from = at;
    next_character(text, at);
    return text.substr(from, at - from);
  };

  size_t at = 0;
  while (remove_extra_blanks && at < text.size()) {
    size_t after = at;
    if (next(after) != " ") break;
    at = after;
  }
  if (at == text.size()) return {};
  std::string result(add_dummy_prefix && !blank_as_suffix ? blank : std::string_view{});
  bool after_blank = remove_extra_blanks;
  while (at < text.size()) {
    std::string_view part = next(at);
    while (after_blank && part.starts_with(' ')) part.remove_prefix(1);
    for (const char c : part) c == ' ' ? result += blank : result += c;
    if (!part.empty()) after_blank = remove_extra_blanks && part.ends_with(' ');
    if (result.size() > kMostBytes) throw Error("tokenizer: a text becomes longer than {} bytes", kMostBytes);
  }
  while (remove_extra_blanks && result.ends_with(blank)) result.erase(result.size() - blank.size());
  if (add_dummy_prefix && blank_as_suffix) result += blank;
  return result;
}

}  // namespace tinyllm
