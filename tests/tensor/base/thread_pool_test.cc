#include <doctest/doctest.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace tinyllm::test {

TEST_CASE("every piece runs exactly once, whatever the number of threads") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (const int64_t pieces : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<size_t>(pieces));
      for (int round = 0; round < 50; ++round) {
        pool.parallel_for(pieces, [&](int64_t piece) { seen[static_cast<size_t>(piece)].fetch_add(1); });
      }
      for (const std::atomic<int>& count : seen) CHECK(count.load() == 50);
    }
  }
}

TEST_CASE("a worker runs one piece at a time, and has a number below the number of threads") {
  for (const int threads : {1, 3, 8}) {
    ThreadPool pool(threads);
    std::vector<std::atomic<int>> busy(static_cast<size_t>(threads));
    std::atomic<int> collisions = 0, strangers = 0, done = 0;
    for (int round = 0; round < 50; ++round) {
      pool.parallel_for(100, [&](int64_t, int worker) {
        if (worker < 0 || worker >= threads) {
          strangers.fetch_add(1);
          return;
        }
        if (busy[static_cast<size_t>(worker)].exchange(1) != 0) collisions.fetch_add(1);
        std::this_thread::yield();
        busy[static_cast<size_t>(worker)] = 0;
        done.fetch_add(1);
      });
    }
    CHECK(strangers.load() == 0);
    CHECK(collisions.load() == 0);
    CHECK(done.load() == 5000);
  }
}

TEST_CASE("what a piece throws is thrown by parallel_for, and the pool works on") {
  for (const int threads : {1, 4}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 20; ++round) {
      CHECK_THROWS_AS(pool.parallel_for(100,
                                        [](int64_t piece) {
                                          if (piece == 37) throw std::runtime_error("piece 37");
                                        }),
                      std::runtime_error);
      std::atomic<int> done = 0;
      pool.parallel_for(100, [&](int64_t) { done.fetch_add(1); });
      CHECK(done.load() == 100);
    }
  }
}

TEST_CASE("threads that share a pool take turns") {
  constexpr int kCallers = 4, kRounds = 200, kPieces = 10;
  ThreadPool pool(3);
  std::array<std::atomic<int>, kCallers> running{};  // Pieces of each caller.
  std::atomic<int> collisions = 0, done = 0;
  std::vector<std::thread> callers;
  for (size_t caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int round = 0; round < kRounds; ++round) {
        pool.parallel_for(kPieces, [&](int64_t) {
          running[caller].fetch_add(1);
          std::this_thread::yield();
          for (size_t other = 0; other < kCallers; ++other) {
            if (other != caller && running[other] != 0) collisions.fetch_add(1);
          }
          running[caller].fetch_sub(1);
          done.fetch_add(1);
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(collisions == 0);
  CHECK(done == kCallers * kRounds * kPieces);
}

TEST_CASE("in a forked child a pool runs on the calling thread, and can be destroyed") {
  auto pool = std::make_unique<ThreadPool>(4);
  std::atomic<int> done = 0;
  pool->parallel_for(100, [&](int64_t) { done.fetch_add(1); });
  REQUIRE(done == 100);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // Ends a child that hangs.
    int sum = 0;
    bool is_thrown = false;
    pool->parallel_for(100, [&](int64_t) { ++sum; });
    try {
      pool->parallel_for(3, [](int64_t) { throw std::runtime_error("a piece"); });
    } catch (const std::runtime_error&) {
      is_thrown = true;
    }
    pool.reset();
    _exit(sum == 100 && is_thrown ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  pool->parallel_for(100, [&](int64_t) { done.fetch_add(1); });
  CHECK(done == 200);
}

TEST_CASE("a pool of no threads or of too many is refused") {
  CHECK_THROWS_WITH_AS(ThreadPool(0), "thread pool: 0 threads asked for, expected 1 to 256", Error);
  CHECK_THROWS_WITH_AS(ThreadPool(1000), "thread pool: 1000 threads asked for, expected 1 to 256", Error);
  CHECK(hardware_threads() >= 1);
  CHECK(hardware_threads() <= ThreadPool::kMaxThreads);
}

}  // namespace tinyllm::test
