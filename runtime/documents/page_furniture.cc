#include <tinyllm/runtime/documents/page_furniture.h>

#include <tinyllm/runtime/documents/text_reader.h>
#include <tinyllm/tensor/base/utf8.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace tinyllm::documents {
namespace {

constexpr std::string_view kDigits = "0123456789";

// The text with digits of ASCII instead of those of full width.
std::string with_plain_digits(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    append_character(plain, c >= U'０' && c <= U'９' ? c - U'０' + '0' : c);
  }
  return plain;
}

// Whether a line may be the number of a page: it has few letters beside its numbers, and is not "Chapter 3".
bool may_count(std::string_view text) {
  constexpr int64_t kMostLetters = 7;
  int64_t letters = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    letters += c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
  return letters <= kMostLetters && chapter_level(text) == 0;
}

// The forms of a line in which any of its first numbers is replaced by its distance to the number of the page. A header
// has one form that is the same on all pages: "Page 7 of 12" counts in its first number only.
std::vector<std::string> forms_of(const std::string& text, int64_t page) {
  const size_t most_numbers = may_count(text) ? 3 : 0;
  std::vector<std::string> forms = {""};
  for (size_t at = 0, numbers = 0; at < text.size();) {
    const size_t digits = std::min(text.find_first_of(kDigits, at), text.size());
    for (std::string& form : forms) form.append(text, at, digits - at);
    const size_t end = std::min(text.find_first_not_of(kDigits, digits), text.size());
    int64_t value = 0;
    const auto read = std::from_chars(text.data() + digits, text.data() + end, value);
    const bool counts = end > digits && read.ec == std::errc() && numbers++ < most_numbers;
    for (size_t i = 0, count = forms.size(); i < count; ++i) {
      if (counts) forms.push_back(forms[i] + fmt::format("\n{}\n", value - page));
      forms[i].append(text, digits, end - digits);
    }
    at = end;
  }
  return forms;
}

using Key = std::pair<int64_t, std::string>;  // Height on the page and form.

std::vector<Key> keys_of(const Page& page, const PageLine& line, int64_t number) {
  constexpr double kMargin = 1.0 / 6;
  constexpr size_t kLongest = 200;
  const bool is_outside = line.bottom < kMargin * page.height || line.top > (1 - kMargin) * page.height;
  if (!is_outside || line.text.size() > kLongest) return {};
  std::vector<Key> keys;
  // In steps of three points, and between two steps too: equal heights may be rounded apart.
  const auto step = static_cast<int64_t>(std::floor(line.top / 3));
  const auto half = static_cast<int64_t>(std::floor((line.top + 1.5) / 3));
  for (const std::string& form : forms_of(with_plain_digits(line.text), number)) {
    keys.emplace_back(2 * step, form);
    keys.emplace_back(2 * half + 1, form);
  }
  return keys;
}

bool is_on_most(size_t pages, size_t all) { return 10 * pages > 6 * all; }

}  // namespace

std::vector<std::string> remove_furniture(std::vector<Page>& pages) {
  if (pages.size() < 3) return {};
  std::map<Key, std::set<size_t>> found;
  for (size_t i = 0; i < pages.size(); ++i) {
    for (const PageLine& line : pages[i].lines) {
      for (const Key& key : keys_of(pages[i], line, static_cast<int64_t>(i))) found[key].insert(i);
    }
  }
  std::erase_if(found, [&](const auto& entry) { return !is_on_most(entry.second.size(), pages.size()); });
  std::vector<std::string> removed;
  for (size_t i = 0; i < pages.size(); ++i) {
    std::vector<PageLine>& lines = pages[i].lines;
    const auto pages_of = [&](const PageLine& line) -> const std::set<size_t>* {
      for (const Key& key : keys_of(pages[i], line, static_cast<int64_t>(i))) {
        if (const auto same = found.find(key); same != found.end()) return &same->second;
      }
      return nullptr;
    };
    // Where the first line that stays has ended, and the last one begins.
    double top = pages[i].height, bottom = 0;
    for (const PageLine& line : lines) {
      if (pages_of(line) != nullptr) continue;
      top = std::min(top, line.bottom);
      bottom = std::max(bottom, line.top);
    }
    std::erase_if(lines, [&](const PageLine& line) {
      const std::set<size_t>* same = pages_of(line);
      const double middle = (line.top + line.bottom) / 2;
      if (same == nullptr || (middle > top && middle < bottom)) return false;
      if (*same->begin() == i) {
        removed.push_back(
            fmt::format("\"{}\" is at the same height on {} of {} pages and was left out as a header or footer",
                        line.text, same->size(), pages.size()));
      }
      return true;
    });
  }
  return removed;
}

std::vector<int> table_rows(const Page& page) {
  const std::vector<PageLine>& lines = page.lines;
  std::vector<size_t> order(lines.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto middle = [&](size_t i) { return (lines[i].top + lines[i].bottom) / 2; };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return middle(a) < middle(b); });
  // Lines at one height are a band.
  std::vector<std::vector<size_t>> bands;
  for (const size_t i : order) {
    const bool is_same = !bands.empty() && middle(i) - middle(bands.back().front()) < 0.4 * lines[i].height();
    if (!is_same) bands.emplace_back();
    bands.back().push_back(i);
  }
  // Cells leave room between them; columns of prose fill theirs.
  const auto is_row = [&](std::vector<size_t>& band) {
    if (band.size() < 2) return false;
    std::stable_sort(band.begin(), band.end(), [&](size_t a, size_t b) { return lines[a].left < lines[b].left; });
    double filled = 0;
    for (size_t i = 0; i + 1 < band.size(); ++i) {
      const double pitch = lines[band[i + 1]].left - lines[band[i]].left;
      if (pitch <= 0 || lines[band[i]].right > lines[band[i + 1]].left) return false;
      filled += (lines[band[i]].right - lines[band[i]].left) / pitch;
    }
    return filled / static_cast<double>(band.size() - 1) < 0.8;
  };
  std::vector<int> rows(lines.size(), -1);
  int row = 0;
  for (size_t from = 0; from < bands.size();) {
    size_t to = from;
    while (to < bands.size() && is_row(bands[to]) && bands[to].size() == bands[from].size()) ++to;
    if (to - from >= 2) {
      for (; from < to; ++from, ++row) {
        for (const size_t i : bands[from]) rows[i] = row;
      }
    }
    from = std::max(to, from + 1);
  }
  return rows;
}

}  // namespace tinyllm::documents
