#include <doctest/doctest.h>

#include <tinyllm/runtime/prefix_cache.h>

#include "runtime/model_to_ask.h"

namespace tinyllm::test {

TEST_CASE("of the kept sequences, the one with the longest common prefix is found, and the least used one is dropped") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 4});
  const auto of = [&](const std::vector<int32_t>& tokens) {
    Sequence sequence = session.start();
    session.forward(sequence, tokens);
    return sequence;
  };
  const int64_t all = session.free_pages();
  PrefixCache kept;
  CHECK(kept.find(std::vector<int32_t>{5}, 1) == nullptr);
  CHECK_FALSE(kept.drop_oldest());
  kept.keep(of({5, 6}), 1);
  kept.keep(of({7, 8}), 1);
  CHECK(kept.find(std::vector<int32_t>{9, 5, 6}, 1) == nullptr);
  // It replaces the first, with which it begins.
  kept.keep(of({5, 6, 9}), 1);
  CHECK(session.free_pages() == all - 2);
  CHECK(kept.find(std::vector<int32_t>{5, 6, 4}, 1)->tokens() == std::vector<int32_t>{5, 6, 9});
  CHECK(kept.find(std::vector<int32_t>{7}, 1)->tokens() == std::vector<int32_t>{7, 8});
  // The one that was just found is the last to be dropped.
  CHECK(kept.drop_oldest());
  CHECK(kept.find(std::vector<int32_t>{5}, 1) == nullptr);
  CHECK(kept.drop_oldest());
  CHECK(session.free_pages() == all);
}

}  // namespace tinyllm::test
