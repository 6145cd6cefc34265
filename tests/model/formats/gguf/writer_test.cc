#include <tinyllm/model/formats/gguf/gguf.h>
#include <tinyllm/model/formats/gguf/writer.h>
#include <tinyllm/ops/convert.h>
#include <tinyllm/tensor/base/random.h>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "temp_folder.h"

namespace tinyllm::test {
namespace {

std::vector<float> normal_numbers(size_t count) {
  Random random(3, 1);
  std::vector<float> numbers(count);
  for (float& x : numbers) x = static_cast<float>(random.normal());
  return numbers;
}

GgufWriter::Rows rows_of(const std::vector<float>& numbers, int64_t row) {
  return [&numbers, row](int64_t first, std::span<float> out) {
    std::copy_n(numbers.begin() + first * row, out.size(), out.begin());
  };
}

// The numbers as a file of this type gives them back.
std::vector<float> written(GgufType type, const Shape& shape, const std::vector<float>& numbers, int threads = 1) {
  const TempFolder folder;
  GgufWriter writer;
  writer.add_tensor("t", type, shape, rows_of(numbers, shape.row()));
  ThreadPool pool(threads);
  writer.save(folder / "x.gguf", pool);
  const Gguf file(folder / "x.gguf");
  CHECK(file.at("t", shape).type->type == type);
  return file.values(file.at("t"));
}

template <class T>
std::vector<float> rounded(std::vector<float> numbers) {
  std::vector<T> narrow(numbers.size());
  convert(numbers, std::span(narrow));
  convert(std::span<const T>(narrow), std::span(numbers));
  return numbers;
}

}  // namespace

TEST_CASE("metadata is read back") {
  const TempFolder folder;
  GgufWriter writer;
  writer.add("u", uint32_t{4'000'000'000});
  writer.add("f", 0.1f);
  writer.add("b", true);
  writer.add("s", "text");
  writer.add("strings", std::vector<std::string>{"", "x"});
  writer.add("reals", std::vector<float>{1, -0.5f});
  writer.add("wholes", std::vector<int32_t>{1, -2});
  CHECK_THROWS_AS(writer.add("s", "again"), Error);
  ThreadPool pool(1);
  writer.save(folder / "x.gguf", pool);
  const Gguf file(folder / "x.gguf");
  const GgufMetadata& metadata = file.metadata();
  CHECK(metadata.get<int64_t>("u") == 4'000'000'000);
  CHECK(metadata.get<double>("f") == double{0.1f});
  CHECK(metadata.get<bool>("b"));
  CHECK(metadata.get<std::string_view>("s") == "text");
  CHECK(metadata.get<std::vector<std::string_view>>("strings") == std::vector<std::string_view>{"", "x"});
  CHECK(metadata.get<std::vector<float>>("reals") == std::vector<float>{1, -0.5f});
  CHECK(metadata.get<std::vector<int64_t>>("wholes") == std::vector<int64_t>{1, -2});
  CHECK(file.tensors().empty());
}

TEST_CASE("numbers are rounded to the nearest of the type") {
  const Shape shape = {3, 64};
  const std::vector<float> numbers = normal_numbers(192);
  CHECK(written(GgufType::F32, shape, numbers) == numbers);
  CHECK(written(GgufType::F16, shape, numbers) == rounded<Half>(numbers));
  CHECK(written(GgufType::BF16, shape, numbers) == rounded<BFloat16>(numbers));
  const std::vector<float> q8 = written(GgufType::Q8_0, shape, numbers), q4 = written(GgufType::Q4_0, shape, numbers);
  for (size_t block = 0; block < numbers.size(); block += 32) {
    float largest = 0;
    for (size_t i = block; i < block + 32; ++i) largest = std::max(largest, std::abs(numbers[i]));
    // The step of q8_0 is the largest / 127, rounded to a half; q4_0's is least squares, with ends down to 6 and up
    // to 9.
    const float step8 = largest / 127 * (1 + 0x1p-11f), step4 = largest / 6 * (1 + 0x1p-10f);
    for (size_t i = block; i < block + 32; ++i) {
      CHECK(std::abs(q8[i] - numbers[i]) <= step8 * 0.501f);
      CHECK(std::abs(q4[i] - numbers[i]) <= step4 * 2);
    }
  }
}

TEST_CASE("numbers of q8_0 and q4_0 that are on the grid stay what they are") {
  std::vector<float> q8, q4;
  for (int i = 0; i < 64; ++i) {
    q8.push_back(static_cast<float>(i == 0 ? 127 : i * 3 % 120 - 60) * 0x1p-7f);
    q4.push_back(static_cast<float>(i % 32 == 0 ? -8 : i * 5 % 16 - 8) * 0x1p-3f);
  }
  std::vector<float> second(q8.begin(), q8.begin() + 32);
  std::copy(second.begin(), second.end(), q8.begin() + 32);
  CHECK(written(GgufType::Q8_0, {2, 32}, q8) == q8);
  CHECK(written(GgufType::Q4_0, {2, 32}, q4) == q4);
}

TEST_CASE("a tensor of several chunks, and of none, is written whole, with any number of threads") {
  const Shape shape = {2050, 1024};  // Two chunks of 2^20 numbers, and two rows.
  const std::vector<float> numbers = normal_numbers(static_cast<size_t>(shape.size()));
  CHECK(written(GgufType::F32, shape, numbers) == numbers);
  CHECK(written(GgufType::Q4_0, shape, numbers, 1) == written(GgufType::Q4_0, shape, numbers, 3));
  CHECK(written(GgufType::F32, {0, 32}, {}).empty());
  CHECK(written(GgufType::F32, {5}, {1, 2, 3, 4, 5}) == std::vector<float>{1, 2, 3, 4, 5});
}

TEST_CASE("several tensors are aligned, in the order in which they were added") {
  const TempFolder folder;
  const std::vector<float> one = {1, 2, 3}, two = {4};
  GgufWriter writer;
  writer.add_tensor("z", GgufType::F32, {3}, rows_of(one, 3));
  writer.add_tensor("a", GgufType::F16, {1, 1}, rows_of(two, 1));
  ThreadPool pool(1);
  writer.save(folder / "x.gguf", pool);
  const Gguf file(folder / "x.gguf");
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "z");
  CHECK(file.tensors()[1].begin - file.tensors()[0].begin == 32);
  CHECK(file.tensors()[0].begin % 32 == 0);
  CHECK(std::filesystem::file_size(folder / "x.gguf") % 32 == 0);
  CHECK(file.values(file.at("a")) == two);
}

TEST_CASE("what cannot be written is refused, and leaves no file") {
  const TempFolder folder;
  const std::vector<float> numbers(64, 70000.f), none(64, std::numeric_limits<float>::quiet_NaN());
  ThreadPool pool(1);
  const auto refused = [&](GgufType type, const std::vector<float>& from) {
    GgufWriter writer;
    writer.add_tensor("t", type, {2, 32}, rows_of(from, 32));
    CHECK_THROWS_AS(writer.save(folder / "x.gguf", pool), Error);
    CHECK(std::filesystem::is_empty(folder.path()));
  };
  refused(GgufType::F16, numbers);
  for (const GgufType type : {GgufType::F32, GgufType::F16, GgufType::BF16, GgufType::Q8_0, GgufType::Q4_0}) {
    refused(type, none);
  }
  GgufWriter writer;
  const auto rows = rows_of(numbers, 32);
  writer.add_tensor("t", GgufType::F32, {2, 32}, rows);
  CHECK_THROWS_AS(writer.add_tensor("t", GgufType::F32, {2, 32}, rows), Error);
  CHECK_THROWS_AS(writer.add_tensor("k", GgufType::Q4_K, {1, 256}, rows), Error);
  CHECK_THROWS_AS(writer.add_tensor("q", GgufType::Q8_0, {2, 16}, rows), Error);
  CHECK_THROWS_AS(writer.add_tensor("", GgufType::F32, {2, 32}, rows), Error);
  CHECK_THROWS_AS(writer.add_tensor(std::string(64, 'x'), GgufType::F32, {2, 32}, rows), Error);
  CHECK_THROWS_AS(writer.add_tensor("s", GgufType::F32, {}, rows), Error);
}

TEST_CASE("a tensor's type follows the file's where it can") {
  CHECK(gguf_type_for(GgufType::Q4_0, {4, 64}) == GgufType::Q4_0);
  CHECK(gguf_type_for(GgufType::Q4_0, {4, 48}) == GgufType::F16);
  CHECK(gguf_type_for(GgufType::Q8_0, {64}) == GgufType::F32);
  CHECK(gguf_type_for(GgufType::BF16, {4, 5}) == GgufType::BF16);
  CHECK(gguf_file_type(GgufType::BF16) == 32);
  CHECK(gguf_file_type(GgufType::Q8_0) == 7);
  CHECK_THROWS_AS(gguf_file_type(GgufType::Q4_K), Error);
}

}  // namespace tinyllm::test
