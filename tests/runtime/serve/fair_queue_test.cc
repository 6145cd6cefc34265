#include <doctest/doctest.h>

#include <tinyllm/runtime/serve/fair_queue.h>

#include <string>
#include <vector>

namespace tinyllm::test {

TEST_CASE("the owner who has used least is the next, each in the order of arrival") {
  FairQueue<std::string> queue;
  for (const char* item : {"a1", "a2", "a3"}) queue.push(1, item);
  for (const char* item : {"b1", "b2"}) queue.push(2, item);
  queue.charge(1, 10);
  std::vector<std::string> order;
  while (!queue.empty()) {
    const std::string item = queue.pop();
    order.push_back(item);
    queue.charge(item[0] == 'a' ? 1 : 2, 8);
  }
  // Used before each: a 10, b 0; a 10, b 8; b is empty.
  CHECK(order == std::vector<std::string>{"b1", "b2", "a1", "a2", "a3"});
}

TEST_CASE("who comes back after a pause has saved up nothing") {
  FairQueue<int> queue;
  queue.push(1, 0);
  queue.charge(1, 1000);
  queue.push(1, 1);
  queue.push(2, 2);  // Never seen before: begins where owner 1 is, not at 0.
  queue.charge(2, 1);
  CHECK(queue.pop() == 0);
  queue.charge(1, 2);
  CHECK(queue.pop() == 2);
  CHECK(queue.pop() == 1);
}

TEST_CASE("the newest item of the owner who has most is taken when there are too many") {
  FairQueue<int> queue;
  for (int i = 0; i < 3; ++i) queue.push(1, i);
  queue.push(2, 10);
  CHECK(queue.pop_greediest() == 2);
  CHECK(queue.size() == 3);
  queue.erase_if([](int item) { return item == 0; });
  CHECK(queue.size() == 2);
}

TEST_CASE("who comes to an empty queue begins where the one last served is") {
  FairQueue<int> queue;
  queue.push(1, 0);
  queue.pop();
  queue.charge(1, 100000);
  // Nobody waits: owner 2 has not saved up what owner 1 has used alone.
  for (int i = 0; i < 5; ++i) queue.push(2, 10 + i);
  queue.push(1, 1);
  CHECK(queue.pop() == 1);
  queue.charge(1, 1);
  CHECK(queue.pop() == 10);
}

}  // namespace tinyllm::test
