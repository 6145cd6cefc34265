#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
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

}  // namespace

TEST_CASE("a sample is whole lines from all over a text, no line twice, the same for one seed") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 100000; ++i) text += fmt::format("{:06}\n{}", i, i % 10 == 0 ? "\f\n" : "");
  write_file(folder / "text", text);
  const TextSample sample = sample_text(folder / "text", static_cast<int64_t>(text.size() / 4), 1);
  std::vector<int> numbers = numbers_of(sample.learn);
  const std::vector<int> held_out = numbers_of(sample.held_out);
  CHECK(!held_out.empty());
  CHECK(held_out.size() < numbers.size() / 10);
  numbers.insert(numbers.end(), held_out.begin(), held_out.end());
  CHECK(std::set<int>(numbers.begin(), numbers.end()).size() == numbers.size());
  CHECK(numbers.size() == doctest::Approx(25000).epsilon(0.1));
  for (int tenth = 0; tenth < 10; ++tenth) {
    const auto in_tenth = std::count_if(numbers.begin(), numbers.end(), [&](int n) { return n / 10000 == tenth; });
    CHECK(in_tenth == doctest::Approx(2500).epsilon(0.5));
  }
  CHECK(sample_text(folder / "text", 100000, 1).learn == sample_text(folder / "text", 100000, 1).learn);
  CHECK(sample_text(folder / "text", 100000, 1).learn != sample_text(folder / "text", 100000, 2).learn);
}

TEST_CASE("a sample that is larger than the text is all of it") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += fmt::format("{}\n", i);
  write_file(folder / "text", text);
  const TextSample sample = sample_text(folder / "text", 1 << 30, 1);
  CHECK(numbers_of(sample.learn).size() + numbers_of(sample.held_out).size() == 1000);
}

TEST_CASE("of the lines with a form feed, only those that hold nothing else are left out") {
  const TempFolder folder;
  write_file(folder / "text", "\fone\n\f\ntwo \f\n\f\r\nthree\n\f");
  const TextSample sample = sample_text(folder / "text", 1 << 30, 1);
  std::string all;
  for (const std::string& stretch : sample.learn) all += stretch;
  CHECK(all == "\fone\ntwo \f\nthree\n");
}

TEST_CASE("of a line that is very long a part is drawn, cut where a character begins") {
  const TempFolder folder;
  std::string line;
  while (line.size() < 1'000'000) line += "长";
  write_file(folder / "line", line);
  const TextSample sample = sample_text(folder / "line", 1 << 30, 1);
  REQUIRE(sample.learn.size() == 1);
  CHECK(sample.learn[0] == line.substr(0, 4 * 64 * 1024 / 3 * 3));
  line[300] = '\xFF';
  write_file(folder / "line", line);
  const std::string error = (folder / "line").string() + ": line 1, byte 301: 0xFF is not UTF-8";
  CHECK_THROWS_WITH_AS(sample_text(folder / "line", 1 << 30, 1), error.c_str(), Error);
}

TEST_CASE("an empty text is refused, and one that is not UTF-8 by its line") {
  const TempFolder folder;
  write_file(folder / "empty", "");
  CHECK_THROWS_AS(sample_text(folder / "empty", 1000, 1), Error);
  write_file(folder / "bad", "one\ntwo\nth\xFFree\n");
  const std::string error = (folder / "bad").string() + ": line 3, byte 3: 0xFF is not UTF-8";
  CHECK_THROWS_WITH_AS(sample_text(folder / "bad", 1000, 1), error.c_str(), Error);
}

}  // namespace tinyllm::test
