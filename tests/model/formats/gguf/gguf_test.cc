#include <tinyllm/model/formats/gguf/gguf.h>

#include <doctest/doctest.h>

#include "close.h"
#include "error_of.h"
#include "gguf_bytes.h"
#include "temp_folder.h"
#include "test_data.h"

namespace tinyllm::test {
namespace {

constexpr uint32_t kU32 = 4, kF32 = 6, kBool = 7, kString = 8, kArray = 9, kI64 = 11, kF64 = 12, kU64 = 10, kI8 = 1;

// What is said about a file of these bytes, without its path.
std::string fault_of(const std::string& bytes) {
  const TempFolder folder;
  write_file(folder / "x.gguf", bytes);
  const std::string message = error_of([&] { const Gguf file(folder / "x.gguf"); });
  const std::string path = (folder / "x.gguf").string() + ": ";
  if (message.starts_with(path)) return message.substr(path.size());
  return message == "no error" ? message : "no path: " + message;
}

std::string fault_of(const GgufBytes& bytes) { return fault_of(bytes.str()); }

// Every type of value, and two tensors.
GgufBytes sample() {
  GgufBytes bytes;
  bytes.header(2, 8);
  bytes.key("a.whole", kU32).number(uint32_t{7});
  bytes.key("a.less", kI8).number(int8_t{-7});
  bytes.key("a.real", kF32).number(0.5f);
  bytes.key("a.long", kF64).number(0.25);
  bytes.key("a.flag", kBool).number(uint8_t{1});
  bytes.key("a.text", kString).string("words");
  bytes.key("a.list", kArray).number(kString).number(uint64_t{2}).string("x").string("");
  bytes.key("a.nested", kArray).number(kArray).number(uint64_t{1}).number(kI64).number(uint64_t{2});
  bytes.number(int64_t{1}).number(int64_t{2});
  bytes.tensor("m", {3, 2}, 0, 32).tensor("v", {2}, 1, 0).align();
  bytes.number(uint16_t{0x3C00}).number(uint16_t{0xC000}).align();
  for (const float x : {1.f, 2.f, 3.f, 4.f, 5.f, 6.f}) bytes.number(x);
  return bytes;
}

}  // namespace

TEST_CASE("metadata and tensors are read as they were written") {
  const TempFolder folder;
  write_file(folder / "x.gguf", sample().str());
  const Gguf file(folder / "x.gguf");
  const GgufMetadata& metadata = file.metadata();
  CHECK(metadata.keys().size() == 8);
  CHECK(metadata.get<int64_t>("a.whole") == 7);
  CHECK(metadata.get<int64_t>("a.less") == -7);
  CHECK(metadata.get<double>("a.real") == 0.5);
  CHECK(metadata.get<double>("a.long") == 0.25);
  CHECK(metadata.get<bool>("a.flag"));
  CHECK(metadata.get<std::string_view>("a.text") == "words");
  CHECK(metadata.get<std::vector<std::string_view>>("a.list") == std::vector<std::string_view>{"x", ""});
  CHECK(metadata.is_array("a.nested"));
  CHECK(!metadata.find<int64_t>("a.none"));

  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "v");  // In the order of the data.
  CHECK(file.at("m").shape == Shape{2, 3});
  CHECK(file.values(file.at("m", {2, 3})) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(file.values(file.at("v")) == std::vector<float>{1, -2});
  CHECK(file.bytes(file.at("v")).size() == 4);
  CHECK(file.find("none") == nullptr);
  std::vector<float> part(2);
  file.read(file.at("m"), 3, part);
  CHECK(part == std::vector<float>{4, 5});
}

TEST_CASE("what is not there, or is something else, is named with what was expected") {
  const TempFolder folder;
  write_file(folder / "x.gguf", sample().str());
  const Gguf file(folder / "x.gguf");
  const std::string path = (folder / "x.gguf").string();
  const GgufMetadata& metadata = file.metadata();
  CHECK_THROWS_WITH_AS(metadata.get<bool>("b"), (path + ": b is missing").c_str(), Error);
  CHECK_THROWS_WITH_AS(metadata.get<bool>("a.text"), (path + ": a.text is string, expected a bool").c_str(), Error);
  CHECK_THROWS_WITH_AS(metadata.get<int64_t>("a.list"),
                       (path + ": a.list is array of string, expected a whole number").c_str(), Error);
  CHECK_THROWS_AS(metadata.get<double>("a.whole"), Error);
  CHECK_THROWS_AS(metadata.get<std::string_view>("a.whole"), Error);
  CHECK_THROWS_AS(metadata.get<std::vector<float>>("a.list"), Error);
  CHECK_THROWS_AS(metadata.get<std::vector<int64_t>>("a.nested"), Error);
  CHECK_THROWS_AS(metadata.get<std::vector<std::string_view>>("a.nested"), Error);
  CHECK_THROWS_AS(file.at("none"), Error);
  CHECK_THROWS_AS(file.at("m", {3, 2}), Error);
  std::vector<float> seven(7);
  CHECK_THROWS_AS(file.read(file.at("m"), 0, seven), Error);
  CHECK_THROWS_AS(file.read(file.at("m"), -1, std::span(seven).first(1)), Error);
}

TEST_CASE("a file cut short at any length is refused") {
  const std::string whole = sample().str();
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(fault_of(whole.substr(0, length)) != "no error");
  }
  CHECK(fault_of(whole) == "no error");
}

TEST_CASE("counts and lengths are not believed") {
  constexpr uint64_t kMost = UINT64_MAX;
  CHECK(fault_of(GgufBytes().header(0, kMost)) == "18446744073709551615 keys, expected at most 65536");
  CHECK(fault_of(GgufBytes().header(1'000'000, 0)) == "1000000 tensors, expected at most 65536");
  CHECK(fault_of(GgufBytes().header(0, 65536)).ends_with("it is cut short or damaged"));
  CHECK(fault_of(GgufBytes().header(0, 1).number(kMost)) ==
        "18446744073709551615 bytes expected at byte 32, but 0 are left: it is cut short or damaged");
  CHECK(fault_of(GgufBytes().header(0, 1).key("k", kArray).number(kU64).number(kMost)).ends_with("or damaged"));
  // The product of count and size is 8.
  CHECK(fault_of(GgufBytes().header(0, 1).key("k", kArray).number(kU64).number((uint64_t{1} << 61) + 1).zeros(8))
            .ends_with("or damaged"));
  CHECK(fault_of(GgufBytes().header(0, 1).key("k", kArray).number(kString).number(kMost).zeros(80))
            .ends_with("or damaged"));
  GgufBytes deep;
  deep.header(0, 1).key("k", kArray);
  for (int i = 0; i < 100; ++i) deep.number(kArray).number(uint64_t{1});
  CHECK(fault_of(deep) == "k: arrays are nested deeper than 8");
}

TEST_CASE("a header with a fault is refused with its name") {
  CHECK(fault_of(std::string("GGML")) == "is not a GGUF file: it does not begin with GGUF");
  CHECK(fault_of(std::string()) == "is not a GGUF file: it does not begin with GGUF");
  CHECK(fault_of(GgufBytes().header(0, 0, 1)) == "version 1 of GGUF, expected 2 or 3");
  CHECK(fault_of(GgufBytes().header(0, 0, 0x03000000)) == "is big-endian, expected little-endian");
  CHECK(fault_of(GgufBytes().header(0, 0, 2)) == "no error");
  CHECK(fault_of(GgufBytes().header(0, 1).key("k", 13)) == "k: type 13 is unknown, expected 0 to 12");
  CHECK(fault_of(GgufBytes().header(0, 1).key("", kBool).zeros(1)) == "key 0 has 0 bytes, expected 1 to 65535");
  CHECK(fault_of(GgufBytes().header(0, 1).key("\xFF", kBool).zeros(1)) != "no error");
  CHECK(fault_of(GgufBytes().header(0, 2).key("k", kBool).zeros(1).key("k", kBool).zeros(1)) == "k is there twice");
  const auto alignment = [](uint32_t value) {
    return GgufBytes().header(0, 1).key("general.alignment", kU32).number(value);
  };
  CHECK(fault_of(alignment(64)) == "no error");
  CHECK(fault_of(alignment(0)) == "general.alignment is 0, expected a power of two from 8 to 1048576");
  CHECK(fault_of(alignment(1)) == "general.alignment is 1, expected a power of two from 8 to 1048576");
  CHECK(fault_of(alignment(48)) == "general.alignment is 48, expected a power of two from 8 to 1048576");
}

TEST_CASE("a tensor with a fault is refused with its name") {
  const auto one = [](const std::vector<uint64_t>& extents, uint32_t type, uint64_t offset, size_t bytes) {
    return fault_of(GgufBytes().header(1, 0).tensor("t", extents, type, offset).align().zeros(bytes));
  };
  constexpr uint64_t kMost = UINT64_MAX;
  CHECK(one({8}, 0, 0, 32) == "no error");
  CHECK(one({8}, 0, 0, 31).starts_with("tensor t: 32 bytes at 0, but the file has 31 after its header"));
  CHECK(one({8}, 0, 32, 32).ends_with("it is cut short or damaged"));
  CHECK(one({8}, 0, kMost - 31, 32).ends_with("it is cut short or damaged"));
  CHECK(one({8}, 0, 8, 64) == "tensor t: its data is at 8, expected a multiple of 32");
  CHECK(one({8}, 19, 0, 32).starts_with("tensor t: type IQ1_S cannot be read"));
  CHECK(one({8}, 1000, 0, 32).starts_with("tensor t: type 1000 is unknown"));
  CHECK(one({16}, 2, 0, 32).starts_with("tensor t: Q4_0 [16]: a row has 16 numbers"));
  CHECK(one({1, 1, 1, 1, 1}, 0, 0, 32) == "tensor t: has 5 axes, expected at most 4");
  CHECK(one({kMost}, 0, 0, 32) == "tensor t: has an extent of 18446744073709551615: too many elements");
  CHECK(one({uint64_t{1} << 40, uint64_t{1} << 40}, 0, 0, 32).ends_with("too many elements, expected at most 2^56"));
  const auto two = [](const std::string& name, uint64_t offset) {
    return fault_of(GgufBytes().header(2, 0).tensor("a", {16}, 0, 0).tensor(name, {8}, 0, offset).align().zeros(128));
  };
  CHECK(two("b", 64) == "no error");
  CHECK(two("b", 32) == "tensor b overlaps another");
  CHECK(two("a", 64) == "two tensors are named a");
  CHECK(two("", 64) == "tensor : its name has 0 bytes, expected 1 to 64");
  CHECK(two(std::string(65, 'x'), 64).ends_with("its name has 65 bytes, expected 1 to 64"));
}

TEST_CASE("files of every type hold the same model, to within what the type can say") {
  const auto folder = shared("interchange/gguf");
  if (!folder) return;
  const Gguf exact(*folder / "f32.gguf");
  // Relative to the largest number of the tensor. Q8_0: half a step, and the rounding of the step to half precision.
  // Q4_0: one end of the range is cut by a step of 1/8. Q4_K: half a step of 2/15, and the rounding of scales.
  const std::pair<std::string, double> files[] = {
      {"f16", 0x1p-11}, {"bf16", 0x1p-8}, {"q8_0", 0.5 / 127 + 0x1p-11}, {"q4_0", 0.126}, {"q4_k_q6_k", 0.1}};
  for (const auto& [name, bound] : files) {
    CAPTURE(name);
    const Gguf file(*folder / (name + ".gguf"));
    REQUIRE(file.tensors().size() == exact.tensors().size());
    for (const Gguf::Tensor& tensor : exact.tensors()) {
      CAPTURE(tensor.name);
      const std::vector<float> expected = exact.values(tensor), found = file.values(file.at(tensor.name, tensor.shape));
      check_close(name + " " + std::string(tensor.name), found, expected, bound);
    }
  }
}

}  // namespace tinyllm::test
