#include <tinyllm/model/text/jinja/text_functions.h>

#include <tinyllm/model/text/jinja/characters.h>
#include <tinyllm/model/text/jinja/print.h>

#include <string.h>  // NOLINT: memmem is not in <cstring>

namespace tinyllm::jinja {
namespace {

size_t next_start(std::string_view text, size_t at) {
  next_character(text, at);
  return at;
}

}  // namespace

size_t find_text(const Text& text, const Text& part, size_t from) {
  const std::string_view rest = text.bytes().substr(from);
  const void* found = memmem(rest.data(), rest.size(), part.bytes().data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return from + static_cast<size_t>(static_cast<const char*>(found) - rest.data());
}

Value strip(const Text& text, const Text* chars, bool left, bool right, Budget& budget) {
  std::u32string set;
  for (size_t at = 0; chars != nullptr && at < chars->size();) set += next_character(chars->bytes(), at);
  budget.step(1 + set.size());
  const std::string_view bytes = text.bytes();
  const auto stripped = [&](size_t begin) {
    const char32_t c = next_character(bytes, begin);
    budget.step(1 + set.size() / 16);
    return chars == nullptr ? is_space(c) : set.find(c) != std::u32string::npos;
  };
  size_t begin = 0;
  size_t end = bytes.size();
  while (left && begin < end && stripped(begin)) begin = next_start(bytes, begin);
  while (right && end > begin && stripped(previous_character(bytes, end))) end = previous_character(bytes, end);
  return make_text(text.slice(begin, end), budget);
}

Value replace(const Text& text, const Text& from, const Text& to, int64_t count, Budget& budget) {
  budget.read(text.size());
  Text out;
  size_t at = 0;
  while (count != 0) {
    size_t found = find_text(text, from, at);
    if (found == std::string_view::npos) break;
    budget.step(1 + to.runs().size());
    out.append(text, at, found);
    out.append(to);
    --count;
    at = found + from.size();
    if (!from.empty()) continue;
    // As in Python, an empty text is found before each character and at the end.
    if (at == text.size()) break;
    const size_t next = next_start(text.bytes(), at);
    out.append(text, at, next);
    at = next;
  }
  out.append(text, at, text.size());
  return make_text(std::move(out), budget);
}

Value split(const Text& text, const Text& separator, int64_t limit, Budget& budget) {
  if (separator.empty()) throw Error("split: the separator is empty");
  budget.read(text.size());
  std::vector<Value> pieces;
  size_t at = 0;
  for (; limit != 0; --limit) {
    const size_t found = find_text(text, separator, at);
    if (found == std::string_view::npos) break;
    pieces.push_back(make_text(text.slice(at, found), budget));
    at = found + separator.size();
  }
  pieces.push_back(make_text(text.slice(at, text.size()), budget));
  return make_list(std::move(pieces), budget);
}

Value split_at_spaces(const Text& text, int64_t limit, Budget& budget) {
  budget.read(text.size());
  const std::string_view bytes = text.bytes();
  std::vector<Value> pieces;
  for (size_t at = skip_spaces(bytes); at < bytes.size(); at = skip_spaces(bytes, at)) {
    size_t end = at;
    if (limit == 0) {
      end = bytes.size();
    } else {
      for (size_t next = at; end < bytes.size() && !is_space(next_character(bytes, next));) end = next;
    }
    pieces.push_back(make_text(text.slice(at, end), budget));
    --limit;
    at = end;
  }
  return make_list(std::move(pieces), budget);
}

Value lines_of(const Text& text, Budget& budget) {
  budget.read(text.size());
  const std::string_view bytes = text.bytes();
  std::vector<Value> lines;
  size_t begin = 0;
  for (size_t at = 0; at < bytes.size();) {
    const size_t end = at;
    const char32_t c = next_character(bytes, at);
    if (!ends_line(c)) continue;
    if (c == '\r' && at < bytes.size() && bytes[at] == '\n') ++at;
    lines.push_back(make_text(text.slice(begin, end), budget));
    begin = at;
  }
  if (begin < bytes.size()) lines.push_back(make_text(text.slice(begin, bytes.size()), budget));
  return make_list(std::move(lines), budget);
}

Value join(const List& items, const Text& separator, Budget& budget) {
  Text out;
  for (size_t i = 0; i < items.items.size(); ++i) {
    budget.step(1 + separator.runs().size());
    if (i > 0) out.append(separator);
    const Value item = to_text(items.items[i], budget);
    budget.read(text_in(item)->size());
    out.append(*text_in(item));
  }
  return make_text(std::move(out), budget);
}

Value with_case(const Text& text, Case to, Budget& budget) {
  budget.read(text.size());
  Text out;
  size_t begin = 0;
  bool in_word = false;
  const auto continues_word = [&](char c) {
    if (to == Case::capitalize) return true;
    if (to == Case::words) return std::string_view(" \t\n\r\f\v-({[<").find(c) == std::string_view::npos;
    return is_ascii_letter(c) || static_cast<unsigned char>(c) >= 0x80;
  };
  for (const Text::Run& run : text.runs()) {
    std::string bytes(text.bytes().substr(begin, run.end - begin));
    for (char& c : bytes) {
      const bool upper = to == Case::upper || (to != Case::lower && !in_word);
      c = upper ? ascii_upper(c) : ascii_lower(c);
      in_word = continues_word(c);
    }
    out.append(bytes, run.origin);
    begin = run.end;
  }
  return make_text(std::move(out), budget);
}

}  // namespace tinyllm::jinja
