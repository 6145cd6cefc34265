#include <doctest/doctest.h>

#include <tinyllm/model/text/border_filter.h>
#include <tinyllm/model/text/text_trie.h>
#include <tinyllm/model/text/word_table.h>
#include <tinyllm/tensor/base/random.h>

#include <map>

namespace tinyllm::test {
namespace {

std::string random_text(Random& random, int64_t most) {
  std::string text;
  for (int64_t n = 1 + random.below(most); n > 0; --n) text += static_cast<char>('a' + random.below(3));
  return text;
}

}  // namespace

TEST_CASE("a table of words finds each word, short or long, and no other") {
  Random random(1);
  std::map<std::string, int32_t> words;
  WordTable table;
  for (int32_t i = 0; i < 5000; ++i) {
    const std::string word = random_text(random, 24);
    table.add(word, i);
    words.try_emplace(word, i);  // The first token stays.
  }
  for (const auto& [word, token] : words) CHECK(table.find(word) == token);
  for (int i = 0; i < 5000; ++i) {
    const std::string word = random_text(random, 24);
    CHECK(table.find(word) == (words.contains(word) ? words[word] : WordTable::kNone));
  }
  // Bytes of zero are bytes like others.
  table.add(std::string("z\0", 2), 7);
  CHECK(table.find("z") == WordTable::kNone);
  CHECK(table.find(std::string("z\0", 2)) == 7);
  table.add(std::string(WordTable::kLongest + 1, 'x'), 8);
  CHECK(table.find(std::string(WordTable::kLongest + 1, 'x')) == WordTable::kNone);
}

TEST_CASE("a trie finds all texts that another one begins with, the shortest first") {
  Random random(2);
  std::map<std::string, int32_t> texts;
  TextTrie trie;
  for (int32_t i = 0; i < 2000; ++i) {
    const std::string text = random_text(random, 12);
    trie.add(text, i);
    texts[text] = i;  // The last value stays.
  }
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(random, 20);
    std::vector<std::pair<size_t, int32_t>> expected;
    for (size_t length = 1; length <= text.size(); ++length) {
      const auto found = texts.find(text.substr(0, length));
      if (found != texts.end()) expected.emplace_back(length, found->second);
    }
    std::vector<std::pair<size_t, int32_t>> found;
    trie.prefixes(text, [&](size_t length, int32_t value) { found.emplace_back(length, value); });
    CHECK(found == expected);
    CHECK(trie.longest(text).length == (expected.empty() ? 0 : expected.back().first));
    CHECK(trie.contains(text) == texts.contains(text));
  }
}

TEST_CASE("a filter of borders forgets none") {
  BorderFilter filter(1000);
  for (int32_t i = 0; i < 1000; ++i) filter.add(i, 3 * i);
  int32_t others = 0;
  for (int32_t i = 0; i < 1000; ++i) {
    CHECK(filter.has(i, 3 * i));
    others += filter.has(3 * i, i + 100000);
  }
  CHECK(others < 50);  // Of 1000: three bits of a word with 12 set or fewer, mostly, are one chance in 150.
}

}  // namespace tinyllm::test
