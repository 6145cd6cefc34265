#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/text_sample.h>

#include "temp_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tinyllm::test {
namespace {

std::vector<int> numbers_of(const std::vector<std::string>& texts) {
  std::vector<int> numbers;
  for (const std::string& text : texts) {
    for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) numbers.push_back(std::stoi(text.substr(at)));
  }
  return numbers;
}

TextSample sample_of(const std::filesystem::path& file, int64_t bytes, uint64_t seed = 1) {
  return sample_texts({{file}}, bytes, seed);
}

// All that was drawn, in the order of the bytes.
std::vector<std::string> sorted(const TextSample& sample) {
  std::vector<std::string> all = sample.learn;
  all.insert(all.end(), sample.validation.begin(), sample.validation.end());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("a sample is whole lines from all over a text, no line twice, the same for one seed") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 100000; ++i) text += fmt::format("{:06}\n{}", i, i % 10 == 0 ? "\f\n" : "");
  write_file(folder / "text", text);
  const TextSample sample = sample_of(folder / "text", static_cast<int64_t>(text.size() / 4));
  std::vector<int> numbers = numbers_of(sample.learn);
  const std::vector<int> validation = numbers_of(sample.validation);
  CHECK(sample.validation.size() == (sample.learn.size() + sample.validation.size()) / 20);
  numbers.insert(numbers.end(), validation.begin(), validation.end());
  CHECK(std::set<int>(numbers.begin(), numbers.end()).size() == numbers.size());
  CHECK(numbers.size() == doctest::Approx(25000).epsilon(0.1));
  for (int tenth = 0; tenth < 10; ++tenth) {
    const auto in_tenth = std::count_if(numbers.begin(), numbers.end(), [&](int n) { return n / 10000 == tenth; });
    CHECK(in_tenth == doctest::Approx(2500).epsilon(0.5));
  }
  CHECK(sample_of(folder / "text", 100000, 1).learn == sample_of(folder / "text", 100000, 1).learn);
  CHECK(sample_of(folder / "text", 100000, 1).learn != sample_of(folder / "text", 100000, 2).learn);
}

TEST_CASE("a sample that is larger than the text is all of it") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += fmt::format("{}\n", i);
  write_file(folder / "text", text);
  const TextSample sample = sample_of(folder / "text", 1 << 30);
  CHECK(numbers_of(sample.learn).size() + numbers_of(sample.validation).size() == 1000);
  CHECK(!sample.validation.empty());
}

TEST_CASE("the order of the files changes nothing, and each gives its share") {
  const TempFolder folder;
  std::string a, b;
  for (int i = 0; i < 30000; ++i) a += fmt::format("{}\n", 100000 + i);
  for (int i = 0; i < 10000; ++i) b += fmt::format("{}\n", 200000 + i);
  write_file(folder / "a", a);
  write_file(folder / "b", b);
  const TextSample sample = sample_texts({{folder / "a", folder / "b"}}, 70000, 1);
  const TextSample other = sample_texts({{folder / "b", folder / "a"}}, 70000, 1);
  CHECK(sample.learn == other.learn);
  CHECK(sample.validation == other.validation);
  const std::vector<int> numbers = numbers_of(sample.learn);
  const auto of_b = std::count_if(numbers.begin(), numbers.end(), [](int number) { return number >= 200000; });
  CHECK(static_cast<double>(of_b) == doctest::Approx(static_cast<double>(numbers.size()) / 4).epsilon(0.1));
}

TEST_CASE("of the lines with a form feed, only those that hold nothing else are left out") {
  const TempFolder folder;
  write_file(folder / "text", "\fone\n\f\ntwo \f\n\f\r\nthree\n\f");
  CHECK(sorted(sample_of(folder / "text", 1 << 30)) == std::vector<std::string>{"\fone\ntwo \f\nthree\n"});
}

TEST_CASE("a text in one line is drawn whole, cut where a character begins") {
  const TempFolder folder;
  std::string line;
  while (line.size() < 1'000'000) line += "长";
  write_file(folder / "line", line);
  const std::vector<std::string> chunks = sorted(sample_of(folder / "line", 1 << 30));
  size_t size = 0;
  for (const std::string& chunk : chunks) {
    CHECK(valid_utf8(chunk) == chunk.size());
    size += chunk.size();
  }
  CHECK(size == line.size());
  CHECK(chunks.size() > 3000);
  // A quarter of it.
  size = 0;
  for (const std::string& chunk : sorted(sample_of(folder / "line", 250'000))) size += chunk.size();
  CHECK(static_cast<double>(size) == doctest::Approx(250'000).epsilon(0.05));
  line[300] = '\xFF';
  write_file(folder / "line", line);
  const std::string error = (folder / "line").string() + ": line 1, byte 301: 0xFF is not UTF-8";
  CHECK_THROWS_WITH_AS(sample_of(folder / "line", 1 << 30), error.c_str(), Error);
}

TEST_CASE("no chunk is both learned from and validated on") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "the same line again, and again\n";
  for (int i = 0; i < 20000; ++i) text += fmt::format("line {}\n", i);
  write_file(folder / "text", text);
  const TextSample sample = sample_of(folder / "text", 1 << 30);
  for (const std::string& chunk : sample.validation) {
    CHECK(std::find(sample.learn.begin(), sample.learn.end(), chunk) == sample.learn.end());
  }
}

TEST_CASE("an empty text is refused, and one that is not UTF-8 by its line") {
  const TempFolder folder;
  write_file(folder / "empty", "");
  CHECK_THROWS_AS(sample_of(folder / "empty", 1000), Error);
  write_file(folder / "bad", "one\ntwo\nth\xFFree\n");
  const std::string error = (folder / "bad").string() + ": line 3, byte 3: 0xFF is not UTF-8";
  CHECK_THROWS_WITH_AS(sample_of(folder / "bad", 1000), error.c_str(), Error);
}

}  // namespace tinyllm::test
