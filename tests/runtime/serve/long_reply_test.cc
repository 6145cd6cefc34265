#include <doctest/doctest.h>

#include <tinyllm/model/model.h>
#include <tinyllm/runtime/serve/service.h>

#include "runtime/http/kept_reply.h"
#include "runtime/model_to_ask.h"
#include "temp_folder.h"

#include <nlohmann/json.hpp>

namespace tinyllm::test {
namespace {

// Keeps the job that an endpoint submits, and what it wants done by other threads.
struct FakeService final : Service {
  Engine& served;
  Job job;
  std::vector<std::function<void()>> posted, worked;

  explicit FakeService(Engine& engine) : served(engine) {}
  size_t model_of(const std::string&) const override { return 0; }
  const Engine& engine(size_t) const override { return served; }
  size_t models() const override { return 1; }
  void submit(const std::shared_ptr<Call>&, Job given) override { job = std::move(given); }
  void post(std::function<void()> task) override { posted.push_back(std::move(task)); }
  void work(const Call&, std::function<void()> task) override { worked.push_back(std::move(task)); }
};

// A request for the embeddings of so many texts, with so many numbers for each, once all of them are known.
struct Asked {
  FakeService service;
  Kept kept;
  HttpServer server = serve(kept.handler());
  HttpClient client{server.port()};

  Asked(Engine& engine, size_t texts, size_t numbers) : service(engine) {
    client.send(kGetAndClose);
    HttpRequest request;
    request.body = nlohmann::json{{"input", std::vector<std::string>(texts, "a")}}.dump();
    answer_embeddings(service, std::make_shared<Call>(std::move(request), kept.reply(), nullptr));
    for (size_t i = 0; i < texts; ++i) {
      AnswerEnd end;
      end.choice = i;
      end.embedding.assign(numbers, static_cast<float>(i));
      service.job.listener->on_end(std::move(end));
    }
  }

  nlohmann::json reply() {
    const std::string all = client.read_all();
    return nlohmann::json::parse(all.substr(all.find("\r\n\r\n") + 4));
  }
};

void run_all(std::vector<std::function<void()>>& tasks) {
  for (const auto& task : std::exchange(tasks, {})) task();
}

}  // namespace

TEST_CASE("many embeddings are written by a thread that may work for a while") {
  const TempFolder folder;
  save_model(model_to_ask(), folder / "model");
  Engine engine("m", folder / "model", {.max_running = 1}, ThreadPool(1));
  Asked few(engine, 3, 100), many(engine, 200, 100);
  CHECK(few.service.worked.empty());
  CHECK(few.reply()["data"].size() == 3);

  REQUIRE(many.service.worked.size() == 1);
  CHECK(many.service.posted.empty());
  run_all(many.service.worked);
  run_all(many.service.posted);
  const nlohmann::json data = many.reply()["data"];
  REQUIRE(data.size() == 200);
  CHECK(data[199]["embedding"] == std::vector<float>(100, 199));
}

TEST_CASE("a reply that cannot be written is told so on the server's thread") {
  const TempFolder folder;
  save_model(model_to_ask(), folder / "model");
  Engine engine("m", folder / "model", {.max_running = 1}, ThreadPool(1));
  Asked asked(engine, 2, 100);
  Kept kept;
  HttpServer server = serve(kept.handler());
  HttpClient client(server.port());
  client.send(kGetAndClose);
  struct Listener final : JobListener {
    std::string heard;
    void refused(const ApiError&) override {}
    void on_part(AnswerPart&&) override {}
    void on_end(AnswerEnd&&) override {}
    void broke(const std::string& error) override { heard = error; }
  };
  const auto listener = std::make_shared<Listener>();
  const auto call = std::make_shared<Call>(HttpRequest(), kept.reply(), nullptr);
  send_long_json(asked.service, call, listener, []() -> std::string { throw Error("too long"); });
  run_all(asked.service.worked);
  CHECK(listener->heard.empty());
  run_all(asked.service.posted);
  CHECK(listener->heard == "too long");
}

}  // namespace tinyllm::test
