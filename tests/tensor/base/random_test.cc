#include <doctest/doctest.h>

#include <tinyllm/tensor/base/random.h>

namespace tinyllm::test {

// The known answers that the authors of the generator publish (Random123, kat_vectors).
TEST_CASE("Philox4x32-10 and -7 give the published answers") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  CHECK(philox<7>({0, 0, 0, 0}, {0, 0}) == std::array<uint32_t, 4>{0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48});
  CHECK(philox<7>({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        std::array<uint32_t, 4>{0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a});
}

TEST_CASE("a stream of random numbers depends on its seed and stream alone, and is uniform and normal as it says") {
  Random a(5, 1), same(5, 1), other_stream(5, 2), other_seed(6, 1);
  const uint32_t first = a.next();
  CHECK(first == same.next());
  CHECK(first != other_stream.next());
  CHECK(first != other_seed.next());

  Random random(1);
  constexpr int kDraws = 100000;
  double mean = 0, normal_mean = 0, normal_square = 0;
  std::array<int, 7> counts{};
  for (int i = 0; i < kDraws; ++i) {
    mean += random.uniform() / kDraws;
    const double x = random.normal();
    normal_mean += x / kDraws;
    normal_square += x * x / kDraws;
    ++counts.at(static_cast<size_t>(random.below(7)));
  }
  // Five standard errors each.
  CHECK(mean == doctest::Approx(0.5).epsilon(0.01));
  CHECK(std::abs(normal_mean) < 0.016);
  CHECK(normal_square == doctest::Approx(1.0).epsilon(0.023));
  for (const int count : counts) CHECK(std::abs(count - kDraws / 7) < 5 * 111);
}

}  // namespace tinyllm::test
