#include <doctest/doctest.h>

#include <tinyllm/runtime/serve/job.h>

#include <string>

namespace tinyllm::test {
namespace {

// Notes what it hears; throws at parts with the answer "bad".
struct Listener final : JobListener {
  std::string heard;
  void refused(const ApiError&) override { heard += "refused "; }
  void on_part(AnswerPart&& part) override {
    if (part.answer == "bad") throw Error("cannot write it");
    heard += part.answer + " ";
  }
  void on_end(AnswerEnd&&) override { heard += "end "; }
  void broke(const std::string& error) override { heard += "broke: " + error; }
};

}  // namespace

TEST_CASE("a listener that throws hears nothing more, and the others hear all") {
  const auto good = std::make_shared<Listener>(), bad = std::make_shared<Listener>();
  std::vector<JobEvent> events;
  const auto add = [&](const std::shared_ptr<Listener>& listener, const std::string& answer) {
    events.push_back({listener, [answer](JobListener& one) {
                        one.on_part({.choice = 0, .reasoning = {}, .answer = answer, .tokens = {}});
                      }});
  };
  add(good, "a");
  add(bad, "b");
  add(bad, "bad");
  add(good, "c");
  add(bad, "d");
  events.push_back({good, [](JobListener& one) { one.on_end({}); }});
  deliver(events);
  CHECK(good->heard == "a c end ");
  CHECK(bad->heard == "b broke: cannot write it");
}

}  // namespace tinyllm::test
