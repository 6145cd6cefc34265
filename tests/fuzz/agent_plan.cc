// A plan of the file agent: parsed, tried, carried out and taken back. Whatever it says, nothing outside the root
// changes, and the tree is as it was.
#include <tinyllm/runtime/agent/agent.h>
#include <tinyllm/tensor/base/file.h>

#include "fuzz/fuzz.h"

#include <memory>
#include <set>

using namespace tinyllm;
namespace fs = std::filesystem;

namespace {

constexpr int kRestart = 500;  // Plans after which the tree is made anew: journals grow.

void make_tree(const fs::path& top) {
  fs::remove_all(top);
  fs::create_directories(top / "root/docs/old");
  fs::create_directories(top / "root/tmp");
  fs::create_directories(top / "outside");
  write_file(top / "outside/secret.txt", "SECRET\n");
  for (const char* name : {"a.txt", "b.txt", "docs/a.md", "docs/old/c.md", "tmp/x.tmp", "run.sh", ".hidden"}) {
    write_file(top / "root" / name, std::string("# ") + name + "\n");
  }
  fs::create_symlink(top / "outside", top / "root/link");
  fs::create_symlink("a.txt", top / "root/docs/near");
}

// Every name outside with its bytes, and every name inside.
std::set<std::string> seen(const fs::path& top) {
  std::set<std::string> all;
  for (auto it = fs::recursive_directory_iterator(top); it != fs::recursive_directory_iterator(); ++it) {
    const fs::path below = it->path().lexically_relative(top);
    if (below == "root/.agent" || below == "log") {
      it.disable_recursion_pending();
      continue;
    }
    const bool has_bytes = it->is_regular_file() && !it->is_symlink();
    all.insert(below.string() + "\n" + (has_bytes ? read_file(it->path()) : ""));
  }
  return all;
}

}  // namespace

void tinyllm::test::fuzz(std::string_view bytes) {
  static int count = 0;
  static std::unique_ptr<agent::Agent> agent;
  static std::set<std::string> before;
  const fs::path top = memory_folder() / "tree";
  if (count++ % kRestart == 0) {
    agent.reset();
    make_tree(top);
    agent::Policy policy;
    policy.root = top / "root";
    policy.log_path = top / "log/audit.jsonl";
    policy.deny_patterns = {"**/*.sh"};
    before = seen(top);
    agent = std::make_unique<agent::Agent>(policy);
  }
  may_refuse([&] {
    const agent::Preview preview = agent->preview(agent::parse_plan(bytes, 1'800'000'000'000'000'000));
    const agent::Outcome outcome = agent->run(preview, {.yes = true, .typed = preview.number_to_type()});
    require(outcome.problems.empty());
    if (outcome.end == agent::Outcome::End::done && preview.changes()) {
      require(agent->undo().end != agent::Outcome::End::partial);
    }
  });
  require(seen(top) == before);
}
