#include <doctest/doctest.h>

#include <tinyllm/runtime/serve/front_pool.h>

#include <future>
#include <string>

namespace tinyllm::test {
namespace {

// One thread that is busy until it is let go, and the order in which tasks are run and refused.
struct Pool {
  std::promise<void> let_go, is_busy, is_done;
  size_t count;
  std::string ran, refused;
  FrontPool pool;

  /// `tasks` is how many will run.
  Pool(size_t most_waiting, size_t tasks) : count(tasks), pool(1, most_waiting) {
    const auto wait = [this] {
      is_busy.set_value();
      let_go.get_future().wait();
    };
    pool.add(9, {0, wait, [] {}});
    is_busy.get_future().wait();
  }
  void add(uint64_t owner, double cost, char name) {
    const auto run = [this, name] {
      ran += name;
      if (ran.size() == count) is_done.set_value();
    };
    pool.add(owner, {cost, run, [this, name] { refused += name; }});
  }
  void run_all() {
    let_go.set_value();
    is_done.get_future().wait();
  }
};

}  // namespace

TEST_CASE("one who sends much does not keep others from the front threads") {
  Pool pool(100, 6);
  for (const char name : {'a', 'b', 'c', 'd'}) pool.add(1, 1000, name);
  pool.add(2, 10, 'x');
  pool.add(2, 10, 'y');
  pool.run_all();
  // The first of owner 1 is paid for before its second is compared with those of owner 2.
  CHECK(pool.ran == "axybcd");
}

TEST_CASE("of too many tasks the newest of whoever has most is refused") {
  Pool pool(3, 3);
  for (const char name : {'a', 'b', 'c'}) pool.add(1, 1, name);
  pool.add(2, 1, 'x');
  CHECK(pool.refused == "c");
  pool.run_all();
  CHECK(pool.ran == "axb");
}

}  // namespace tinyllm::test
