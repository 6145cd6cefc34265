#include <tinyllm/model/formats/gguf/tensor_type.h>
#include <tinyllm/tensor/formats/safetensors.h>

#include <doctest/doctest.h>

#include <cstring>

#include "error_of.h"
#include "test_data.h"

namespace tinyllm::test {
namespace {

const char* const kTypes[] = {"F16",  "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1",   "Q8_0",
                              "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"};

// Blocks that ggml quantised, and the numbers that it makes of them.
void check_types(const std::filesystem::path& path) {
  const Safetensors file(path);
  for (const std::string name : kTypes) {
    CAPTURE(name);
    const GgufTypeInfo& type = gguf_type(name);
    CHECK(type.name == name);
    CHECK(&gguf_type(static_cast<uint32_t>(type.type)) == &type);
    const std::vector<float> expected = file.values<float>(name + ".values");
    const Safetensors::Entry& entry = file.at(name + ".blocks");
    REQUIRE(bytes_of(type, file.at(name + ".values").shape) == entry.size);
    std::vector<std::byte> blocks(entry.size);
    file.read(entry, blocks);
    std::vector<float> found(expected.size());
    type.dequantize(blocks.data(), static_cast<int64_t>(found.size()) / type.block, found.data());
    size_t different = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      different += std::bit_cast<uint32_t>(found[i]) != std::bit_cast<uint32_t>(expected[i]);
    }
    CHECK(different == 0);
  }
}

}  // namespace

TEST_CASE("every block type gives the numbers of ggml, bit for bit") {
  check_types(test_data("gguf_blocks.safetensors"));
  if (const auto path = shared("interchange/quant/blocks.safetensors")) check_types(*path);
}

TEST_CASE("a type that cannot be read is named") {
  CHECK(error_of([] {
          gguf_type(16u);
        }).starts_with("type IQ2_XXS cannot be read, expected one of F32, F16, BF16, Q4_0"));
  CHECK(error_of([] { gguf_type(99u); }).starts_with("type 99 is unknown"));
  CHECK_THROWS_AS(gguf_type("Q9"), Error);
  CHECK(gguf_type("q4_k").type == GgufType::Q4_K);
}

TEST_CASE("rows are whole blocks") {
  CHECK(bytes_of(gguf_type("Q4_0"), {3, 64}) == 3 * 2 * 18);
  CHECK(bytes_of(gguf_type("F32"), {}) == 4);
  CHECK(bytes_of(gguf_type("Q6_K"), {0, 256}) == 0);
  CHECK_THROWS_WITH_AS(bytes_of(gguf_type("Q4_K"), {2, 128}),
                       "Q4_K [2,128]: a row has 128 numbers, expected a multiple of 256", Error);
}

}  // namespace tinyllm::test
