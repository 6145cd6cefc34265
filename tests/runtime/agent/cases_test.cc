// The cases of tests/data/agent/cases.jsonl: a tree, a plan, and what must be true afterwards.
#include <doctest/doctest.h>

#include <tinyllm/runtime/agent/agent.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/names.h>

#include "runtime/agent/crash.h"
#include "runtime/agent/files.h"
#include "temp_folder.h"
#include "test_data.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>

namespace fs = std::filesystem;
using Json = nlohmann::json;
using namespace tinyllm::agent;

namespace tinyllm::test {
namespace {

const char* kDenied = "C:\\Windows\\*|/etc/*|/usr/*|**/*.sys|**/*.dll|**/*.so|**/*.dylib|**/*.exe|**/*.bat|**/*.sh";

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The policy of a case is the default one with its own keys, read as a configuration file is.
Policy policy_of(const Json& test, const fs::path& top) {
  Json config = test.value("config", Json::object());
  config["root"] = (top / "root").string();
  if (!config.contains("log_path")) config["log_path"] = (top / "log/audit.jsonl").string();
  if (!config.contains("deny_patterns")) {
    std::istringstream patterns(kDenied);
    for (std::string each; std::getline(patterns, each, '|');) config["deny_patterns"].push_back(each);
  }
  return parse_policy(config.dump(), top);
}

struct Result {
  std::string verdict, code;
  Outcome outcome;
};

std::string verdict_of(const Outcome& outcome) {
  switch (outcome.end) {
    case Outcome::End::done:
      return "allowed";
    case Outcome::End::partial:
      return "partial";
    case Outcome::End::rolled_back:
      return "rolled_back";
    default:
      return "denied";
  }
}

// What is done at one moment of a run: "after step 1: rename root→root2, mkdir root".
struct Actor {
  std::string moment, verbs;
};

Actor actor_of(const std::string& text) {
  const size_t created = text.find(" created after the dry run");
  if (created != text.npos) return {"after dry run", "create " + text.substr(0, created)};
  const size_t colon = text.find(": ");
  if (colon == text.npos) return {"", text};
  return {text.substr(0, colon), text.substr(colon + 2)};
}

void act_all(const Actor& actor, const fs::path& top, const Json& expect) {
  for (size_t begin = 0; begin < actor.verbs.size();) {
    const size_t end = std::min(actor.verbs.find(", ", begin), actor.verbs.size());
    act(actor.verbs.substr(begin, end - begin), top, expect);
    begin = end + 2;
  }
}

Json plan_of(const Json& test, const fs::path& top) {
  std::string text = replaced(test.at("plan").dump(), "$T", top.string());
  text = replaced(text, "<600 kB>", std::string(600'000, 'x'));
  return Json::parse(text);
}

Result run_plan(const Json& test, const fs::path& top, std::unique_ptr<Agent>& agent, Snapshot& before_run) {
  Result result;
  const Json& expect = test.at("expect");
  const Actor actor = actor_of(test.value("actor", ""));
  int steps = 0;
  Agent::Options options;
  options.at = [&](const char* point) {
    if (std::string(point) == "after step" && actor.moment == "after step " + std::to_string(++steps))
      act_all(actor, top, expect);
  };
  try {
    agent = std::make_unique<Agent>(policy_of(test, top), options);
    const Preview preview = agent->preview(parse_plan(plan_of(test, top).dump(), now()));
    if (actor.moment == "after confirmation" || actor.moment == "after dry run") {
      act_all(actor, top, expect);
      before_run = snapshot(top / "root");
    }
    const int64_t number = preview.number_to_type();
    if (expect.at("code") == "not_confirmed") {
      result.outcome = agent->run(preview, {});
    } else {
      if (number >= 0) {
        // "yes" is not enough, and nothing has happened after it.
        const auto before = snapshot(top / "root");
        CHECK(agent->run(preview, {.yes = true, .typed = std::nullopt}).code == Code::not_confirmed);
        CHECK(difference(before, snapshot(top / "root")) == "");
      }
      if (expect.at("verdict") == "needs_confirmation") REQUIRE(number >= 0);
      result.outcome = agent->run(preview, {.yes = true, .typed = number});
    }
    if (actor.moment == "after execution") act_all(actor, top, expect);
    result.verdict = verdict_of(result.outcome);
    if (result.verdict == "allowed" && expect.at("verdict") == "needs_confirmation")
      result.verdict = "needs_confirmation";
    if (result.outcome.code) result.code = name_of(*result.outcome.code);
  } catch (const AgentError& error) {
    result.verdict = "denied";
    result.code = name_of(error.code());
    result.outcome.message = error.what();
  }
  return result;
}

std::vector<std::string> zip_names(const fs::path& path) {
  std::vector<std::string> names;
  archive* reader = archive_read_new();
  archive_read_support_format_all(reader);
  archive_read_support_filter_all(reader);
  archive_entry* entry = nullptr;
  if (archive_read_open_filename(reader, path.c_str(), 1 << 16) == ARCHIVE_OK) {
    while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) names.emplace_back(archive_entry_pathname(entry));
  }
  archive_read_free(reader);
  return names;
}

void check_audit(const Json& expected, const fs::path& log) {
  const std::string text = bytes_of(log);
  CHECK(!text.empty());
  for (const Json& word : expected.value("not_contains", Json::array()))
    CHECK(text.find(word.get<std::string>()) == text.npos);
  for (const Json& word : expected.value("contains", Json::array()))
    CHECK(text.find(word.get<std::string>()) != text.npos);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const Json entry = Json::parse(line);
    for (const char* field : {"time", "user", "operation", "result", "hash", "prev"}) CHECK(entry.contains(field));
  }
}

void check_after(const Json& after, const fs::path& top) {
  for (const auto& [name, expected] : after.items()) {
    const std::string where = name;  // Clang 14 captures no structured bindings.
    CAPTURE(where);
    if (name == "audit") {
      check_audit(expected, top / "log/audit.jsonl");
      continue;
    }
    if (expected == "unchanged") continue;  // Outside of the folder of the test, checked by the snapshot of outside/.
    const fs::path path = top / name;
    struct stat status {};
    const bool there = lstat(path.c_str(), &status) == 0;
    if (expected.is_null()) {
      CHECK(!there);
    } else if (expected == "exists") {
      CHECK(there);
    } else if (expected.is_string()) {
      CHECK(there);
      CHECK(bytes_of(path) == expected.get<std::string>());
    } else {
      REQUIRE(there);
      for (const auto& [property, value] : expected.items()) {
        const std::string checked = property;
        CAPTURE(checked);
        if (property == "symlink") {
          CHECK(fs::read_symlink(path).string() == replaced(value.get<std::string>(), "$T", top.string()));
        } else if (property == "size") {
          CHECK(status.st_size == value.get<int64_t>());
        } else if (property == "mode") {
          CHECK(fmt::format("{:04o}", status.st_mode & 07777) == value.get<std::string>());
        } else if (property == "zip" || property == "tar" || property == "archive") {
          CHECK(zip_names(path) == value.get<std::vector<std::string>>());
        } else if (property == "hex") {
          std::string hex;
          for (const char byte : bytes_of(path)) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
          CHECK(hex == value.get<std::string>());
        } else if (property == "nlink" || property == "names") {
          CHECK(status.st_nlink == value.get<nlink_t>());
        } else {
          FAIL("a property that is not known");
        }
      }
    }
  }
}

void check_undo(const Json& undo, Agent& agent, const fs::path& top, const Snapshot& before) {
  const std::string expected = undo.at("result").get<std::string>();
  const Outcome outcome = agent.undo();
  CAPTURE(outcome.message);
  if (expected.starts_with("restored")) {
    CHECK(outcome.end == Outcome::End::done);
    // Names, bytes, modes and times are those of before.
    if (fs::is_directory(top / "root2")) {
      CHECK(difference(before, snapshot(top / "root2")) == "");
    } else if (!undo.contains("not_equal")) {
      CHECK(difference(before, snapshot(top / "root")) == "");
    }
    if (expected.find("nothing") != expected.npos) CHECK(agent.undo().end == Outcome::End::nothing);
  } else if (expected == "refused") {
    CHECK(outcome.end == Outcome::End::denied);
    CHECK(std::string(name_of(outcome.code.value())) == undo.at("code").get<std::string>());
  } else if (expected.starts_with("nothing")) {
    CHECK(outcome.end == Outcome::End::nothing);
  } else if (expected == "partial") {
    CHECK(outcome.end == Outcome::End::partial);
    if (undo.contains("code")) CHECK(std::string(name_of(outcome.code.value())) == undo.at("code").get<std::string>());
  } else {
    FAIL("a result that is not known: " << expected);
  }
  check_after(undo.value("after", Json::object()), top);
}

// Cases that say in words what to run.
Result run_words(const Json& test, const fs::path& top, std::unique_ptr<Agent>& agent) {
  const std::string run = test.at("run").get<std::string>();
  Result result;
  try {
    if (run.find("two agents on one root") != run.npos) {
      const Policy policy = policy_of(test, top);
      Agent first(policy);
      const Preview preview = first.preview(parse_plan(R"([{"operation":"move","src":"a.txt","dst":"b.txt"}])", now()));
      first.run(preview, {.yes = true, .typed = std::nullopt});
      Agent second(policy);
      result.verdict = "both allowed";
    } else if (run.find("50 MB plan") != run.npos) {
      for (const std::string& plan : {std::string(50'000'000, ' '), std::string(100'000, '[')}) {
        result = {"allowed", "", {}};
        try {
          parse_plan(plan, now());
        } catch (const AgentError& error) {
          result = {"denied", name_of(error.code()), {}};
        }
        CHECK(result.verdict == "denied");
      }
    } else if (run.find("change one byte in line 1") != run.npos) {
      agent = std::make_unique<Agent>(policy_of(test, top));
      const Preview preview = agent->preview(parse_plan(R"([{"operation":"delete","path":"a.txt"}])", now()));
      CHECK(agent->run(preview, {.yes = true, .typed = 1}).end == Outcome::End::done);
      agent->verify_log();
      std::string log = bytes_of(top / "log/audit.jsonl");
      log[20] ^= 1;
      write(top / "log/audit.jsonl", log);
      result.verdict = "detected";
      agent->verify_log();
      result.verdict = "allowed";
    } else if (run.find("--root $T/rootlink") != run.npos) {
      Policy policy = policy_of(test, top);
      policy.root = top / "rootlink";
      agent = std::make_unique<Agent>(policy);
      CHECK(agent->root() == fs::canonical(top / "real").string());
      const Preview preview = agent->preview(parse_plan(R"([{"operation":"list","pattern":"*"}])", now()));
      CHECK(preview.steps[0].found == std::vector<std::string>{"a.txt"});
      result.verdict = "allowed";
    } else {
      result.verdict = "not known: " + run;
    }
  } catch (const AgentError& error) {
    result.code = name_of(error.code());
    if (result.verdict.empty()) result.verdict = error.code() == Code::busy ? "one denied" : "denied";
  }
  return result;
}

void race(const Json& test, const fs::path& top) {
  const std::string swapped = test.at("actor").get<std::string>().substr(std::string("swap loop on ").size());
  // More rounds, for a long test by hand: TINYLLM_AGENT_ROUNDS=1000000.
  const char* given = std::getenv("TINYLLM_AGENT_ROUNDS");
  const int rounds = given != nullptr ? std::stoi(given) : 300;
  const RaceResult result = run_race(policy_of(test, top), top, swapped, plan_of(test, top).dump(), rounds);
  MESSAGE("race: " << result.done << " done, " << result.refused << " refused, of " << rounds);
  CHECK(result.done + result.refused == rounds);
  CHECK(result.unexpected == "");
  check_after(test.at("expect").value("after", Json::object()), top);
}

// Root may do what a mode forbids. Where a case is for others, root becomes one for a while.
class AsOther {
 public:
  explicit AsOther(const Json& test, const fs::path& top) {
    is_on_ = geteuid() == 0 && test.value("needs", std::set<std::string>{}).contains("not root");
    constexpr uid_t kNobody = 65534;
    if (is_on_ && (chown(top.c_str(), kNobody, kNobody) != 0 || setegid(kNobody) != 0 || seteuid(kNobody) != 0)) {
      throw std::runtime_error("root cannot become another user");
    }
  }
  ~AsOther() {
    if (is_on_ && (seteuid(0) != 0 || setegid(0) != 0)) std::abort();
  }
  AsOther(const AsOther&) = delete;
  AsOther& operator=(const AsOther&) = delete;

 private:
  bool is_on_ = false;
};

void run_case(Json test, const fs::path& top) {
  Json setup = test.at("setup");
  const std::string actor = test.value("actor", "");
  // What an actor creates is not there before.
  const std::string created = "root/" + actor.substr(0, actor.find(" created after"));
  std::erase_if(setup.get_ref<Json::array_t&>(), [&](const Json& entry) {
    if (entry.value("file", "") != created) return false;
    test["expect"]["created"] = entry.at("text");
    return true;
  });
  if (!set_up(setup, top)) {
    MESSAGE("skipped: this machine cannot make it");
    return;
  }
  const auto outside = snapshot(top / "outside");
  const Json& expect = test.at("expect");
  if (actor.find("swap loop") != actor.npos) {
    race(test, top);
  } else if (actor.find("SIGKILL at fail point") != actor.npos) {
    const bool undoes = test.contains("run");
    const Json plan = undoes ? Json::parse(R"([{"operation":"move","src":"a.txt","dst":"x/a.txt"},
                                               {"operation":"move","src":"b.txt","dst":"x/b.txt"}])")
                             : test.at("plan");
    check_every_crash(policy_of(test, top), plan.dump(), undoes ? Killed::undo : Killed::run);
    check_after(expect.value("after", Json::object()), top);
  } else {
    Snapshot before = snapshot(fs::is_symlink(top / "rootlink") ? top / "real" : top / "root");
    std::unique_ptr<Agent> agent;
    const Result result = test.contains("run") ? run_words(test, top, agent) : run_plan(test, top, agent, before);
    CAPTURE(result.outcome.message);
    CHECK(result.verdict == expect.at("verdict").get<std::string>());
    CHECK(result.code == expect.value("code", ""));
    if (result.verdict == "denied" && actor.empty()) CHECK(difference(before, snapshot(top / "root")) == "");
    check_after(expect.value("after", Json::object()), top);
    if (expect.contains("undo") && agent) check_undo(expect.at("undo"), *agent, top, before);
  }
  CHECK(difference(outside, snapshot(top / "outside")) == "");
}

}  // namespace

TEST_CASE("cases of the guard and of execution") {
  // More cases of the same form: TINYLLM_AGENT_CASES=file.
  const char* other = std::getenv("TINYLLM_AGENT_CASES");
  std::ifstream file(other != nullptr ? fs::path(other) : test_data("agent/cases.jsonl"));
  REQUIRE(file);
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    Json test = Json::parse(line);
    if (!test["expect"].contains("code")) test["expect"]["code"] = "";
    const std::string id = test.at("id").get<std::string>();
    CAPTURE(id);
    const TempFolder folder;
    try {
      const AsOther user(test, folder.path());
      run_case(test, folder.path());
    } catch (const std::exception& error) {
      FAIL_CHECK(std::string(error.what()));
    }
    for (const Json& entry : test.at("setup")) {
      if (entry.contains("tmpfs")) umount2((folder.path() / entry.at("tmpfs").get<std::string>()).c_str(), MNT_DETACH);
    }
  }
  if (other == nullptr) CHECK(count == 72);
}

}  // namespace tinyllm::test
