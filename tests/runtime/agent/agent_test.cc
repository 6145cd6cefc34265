// What the cases do not say: the configuration of the seed, archives, filters, partial undo, and bad input.
#include <doctest/doctest.h>

#include <tinyllm/runtime/agent/agent.h>
#include <tinyllm/runtime/agent/guard.h>
#include <tinyllm/runtime/agent/root.h>
#include <tinyllm/runtime/agent/text.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/names.h>
#include <tinyllm/tensor/base/utf8.h>

#include "error_of.h"
#include "runtime/agent/files.h"
#include "temp_folder.h"
#include "test_data.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace tinyllm::agent;

namespace tinyllm::test {
namespace {

constexpr int64_t kNow = 1'800'000'000'000'000'000;  // 2027-01-15

// A root with some files, and an agent for each plan.
struct Sandbox {
  TempFolder folder;
  Policy policy;
  Agent::Options options;

  Sandbox() {
    policy.root = folder / "root";
    policy.log_path = folder / "log/audit.jsonl";
    policy.deny_patterns = {"**/*.sh"};
    fs::create_directories(policy.root);
  }
  void file(const std::string& name, const std::string& text) const { write(policy.root / name, text); }
  std::string text(const std::string& name) const { return bytes_of(policy.root / name); }
  bool has(const std::string& name) const { return fs::exists(fs::symlink_status(policy.root / name)); }
  Outcome run(const std::string& plan) const {
    Agent agent(policy, options);
    const Preview preview = agent.preview(parse_plan(plan, kNow));
    return agent.run(preview, {.yes = true, .typed = preview.number_to_type()});
  }
  std::vector<std::string> find(const std::string& step) const {
    return Agent(policy).preview(parse_plan("[" + step + "]", kNow)).steps[0].found;
  }
  std::string code(const std::string& plan) const {
    try {
      const Outcome outcome = run(plan);
      return outcome.code ? name_of(*outcome.code) : "";
    } catch (const AgentError& error) {
      return name_of(error.code());
    }
  }
};

void touch(const fs::path& path, int64_t modified) {
  const timespec times[2] = {{0, UTIME_OMIT}, {modified / 1'000'000'000, 0}};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

// A tar with one entry of this name and kind.
std::string tar_of(const std::string& name, mode_t type, const std::string& bytes, const std::string& link = "") {
  std::string tar(1 << 20, '\0');
  size_t used = 0;
  archive* writer = archive_write_new();
  archive_write_set_format_ustar(writer);
  archive_write_open_memory(writer, tar.data(), tar.size(), &used);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, name.c_str());
  archive_entry_set_filetype(entry, type);
  archive_entry_set_perm(entry, 0644);
  archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
  if (!link.empty()) archive_entry_set_symlink(entry, link.c_str());
  archive_write_header(writer, entry);
  archive_write_data(writer, bytes.data(), bytes.size());
  archive_write_close(writer);
  archive_entry_free(entry);
  archive_write_free(writer);
  return tar.substr(0, used);
}

}  // namespace

TEST_CASE("the seed's configuration loads as it is") {
  const Policy policy = load_policy(test_data("agent/config.yaml"));
  CHECK(policy.allow_ops.size() == 10);
  CHECK(policy.allow_ops.contains(Operation::remove));
  CHECK(!policy.allow_ops.contains(Operation::extract));
  CHECK(policy.deny_patterns.size() == 10);
  CHECK(policy.dry_run_default);
  CHECK(policy.require_confirm_for == std::set<Operation>{Operation::remove, Operation::rename});
  CHECK(policy.backup);
  CHECK(policy.max_batch == 1000);
  CHECK(policy.encoding == "utf-8");
  CHECK(policy.log_path.filename() == "ops.jsonl");
  CHECK(policy.root.string().ends_with("D:/AgentRoot"));
}

TEST_CASE("a configuration that is wrong says where") {
  const auto error = [](const std::string& text) { return error_of([&] { parse_policy(text, "/"); }); };
  CHECK(error("rooot: /x") == "rooot: is not a key of the configuration");
  CHECK(error("max_batch: 0") == "max_batch: expected a number of 1 or more");
  CHECK(error("allow_ops: [fly]") == "allow_ops: fly is not an operation");
  CHECK(error("backup: maybe") == "backup: expected true or false");
  CHECK(error("[1]") == "the configuration: expected keys and values");
  CHECK(error("root: 'x").starts_with("the configuration: line "));
  CHECK(error(std::string(100'000, ' ')).find("expected at most") != std::string::npos);
}

TEST_CASE("deny patterns hold for what is below, for moves into them, and in other spellings") {
  Policy policy;
  policy.deny_patterns = {"private/**", "*.KEY", "/data/root/top/*", "C:\\Windows\\*"};
  const Guard guard(policy, "/data/root");
  const auto code = [&](const char* path) {
    const auto refusal = guard.why_not(path);
    return refusal ? std::string(name_of(refusal->code)) : "";
  };
  for (const char* path : {"private", "private/a/b", "PRIVATE/x", "ｐｒｉｖａｔｅ/x", "a/b.key", "b.key. ", "top/x",
                           "top/x/y", "pri\u200bvate/x"}) {
    CAPTURE(path);
    CHECK(code(path) == "denied_pattern");
  }
  for (const char* path : {"privat", "a/private2", "top", "key"}) {
    CAPTURE(path);
    CHECK(code(path) == "");
  }
  CHECK(code(".AGENT/x") == "protected");
  CHECK(code("a/.x") == "hidden");
}

TEST_CASE("filters") {
  const Sandbox box;
  box.file("a.txt", "budget 预算");
  box.file("b.TXT", std::string(2000, 'x'));
  box.file("docs/c.md", "plan");
  box.file("docs/gbk.txt", "\xd4\xa4\xcb\xe3");  // 预算 in GBK.
  box.file("run.sh", "x");
  for (const char* name : {"a.txt", "b.TXT", "docs/c.md", "docs/gbk.txt"})
    touch(box.policy.root / name, kNow - 86400'000'000'000);
  touch(box.policy.root / "docs/c.md", kNow - 40 * 86400'000'000'000);
  using List = std::vector<std::string>;
  const auto find = [&](const std::string& filters) {
    return box.find(R"({"operation":"find","pattern":"**/*","filters":)" + filters + "}");
  };
  CHECK(find(R"({"ext":"txt"})") == List{"a.txt", "b.TXT", "docs/gbk.txt"});
  CHECK(find(R"({"contains":"预算"})") == List{"a.txt", "docs/gbk.txt"});
  CHECK(find(R"({"larger_than":"1.5kB"})") == List{"b.TXT"});
  CHECK(find(R"({"smaller_than":"5 bytes"})") == List{"docs/c.md", "docs/gbk.txt"});
  CHECK(find(R"({"older_than":"30d"})") == List{"docs/c.md"});
  CHECK(find(R"({"newer_than":"2d","name_contains":"B"})") == List{"b.TXT", "docs/gbk.txt"});
  CHECK(find(R"({"type":"folder"})") == List{"docs/"});
  CHECK(find(R"({"except":["docs","*.TXT"]})") == List{"a.txt"});
  CHECK(box.code(R"([{"operation":"find","pattern":"*","filters":{"larger_than":"big"}}])") == "bad_plan");
}

TEST_CASE("tags") {
  const auto tag = [](const char* text) { return tagged(text, "t").value_or("none"); };
  CHECK(tag("# Title\nbody") == "# Title [t]\nbody");
  CHECK(tag("# Title\r\nbody\r\n") == "# Title [t]\r\nbody\r\n");
  CHECK(tag("# Title") == "# Title [t]");
  CHECK(tag("# Title [t]\n") == "none");
  CHECK(tag("# Title [t] [u]\n") == "none");
  CHECK(tag("# Title [tt]\n") == "# Title [tt] [t]\n");
  CHECK(tag("") == "# [t]\n");
  CHECK(tag("body\r\n") == "# [t]\r\nbody\r\n");
  CHECK(tag("\xEF\xBB\xBF# Title\n") == "\xEF\xBB\xBF# Title [t]\n");
  CHECK(tag("---\na: b\n---\n# Title\n") == "---\na: b\n---\n# Title [t]\n");
  CHECK(tag("---\nno end\n") == "# [t]\n---\nno end\n");
}

TEST_CASE("names change in a circle, and back") {
  const Sandbox box;
  for (const char* name : {"a", "b", "c"}) box.file(name, name);
  const auto before = snapshot(box.policy.root);
  CHECK(
      box.run(
             R"([{"operation":"rename","src":"a","new_name":"b","batch":1},{"operation":"rename","src":"b","new_name":"c","batch":1},
                    {"operation":"rename","src":"c","new_name":"a","batch":1}])")
          .end == Outcome::End::done);
  CHECK(box.text("b") == "a");
  CHECK(box.text("c") == "b");
  CHECK(box.text("a") == "c");
  CHECK(Agent(box.policy).undo().end == Outcome::End::done);
  CHECK(difference(before, snapshot(box.policy.root)) == "");
  CHECK(box.code(R"([{"operation":"rename","pattern":"*","template":"same"}])") == "exists");
  CHECK(box.code(R"([{"operation":"rename","src":"a","new_name":"../x"}])") == "bad_name");
  CHECK(box.run(R"([{"operation":"rename","pattern":"*","template":"f{n:3}"}])").end == Outcome::End::done);
  CHECK(box.text("f002") == "b");
}

TEST_CASE("archives keep names, and what leads out of them is refused") {
  const Sandbox box;
  box.file("文档/一.md", "# 一\n");
  box.file("文档/b/c.txt", "c");
  for (const std::string name : {"x.zip", "x.tar", "x.tar.gz", "x.tar.xz", "x.tar.zst"}) {
    CAPTURE(name);
    CHECK(box.run(replaced(R"([{"operation":"compress","path":"文档","dst":"NAME"}])", "NAME", name)).end ==
          Outcome::End::done);
    CHECK(box.run(replaced(R"([{"operation":"extract","path":"NAME","dst":"out-NAME/"}])", "NAME", name)).end ==
          Outcome::End::done);
    CHECK(box.text("out-" + name + "/文档/一.md") == "# 一\n");
    CHECK(box.text("out-" + name + "/文档/b/c.txt") == "c");
  }
  struct Row {
    std::string bytes, code;
  };
  const Row rows[] = {{tar_of("../evil", AE_IFREG, "x"), "outside_root"},
                      {tar_of("/etc/evil", AE_IFREG, "x"), "outside_root"},
                      {tar_of((box.policy.root / "evil").string(), AE_IFREG, "x"), "outside_root"},
                      {tar_of("a/../b", AE_IFREG, "x"), "bad_path"},
                      {tar_of("link", AE_IFLNK, "", "/etc"), "symlink"},
                      {tar_of("pipe", AE_IFIFO, ""), "not_regular"},
                      {tar_of("x.sh", AE_IFREG, "x"), "denied_pattern"},
                      {tar_of(".agent/head", AE_IFREG, "x"), "protected"},
                      {"no archive", "bad_archive"},
                      {tar_of("good", AE_IFREG, std::string(9000, 'x')).substr(0, 3000), "bad_archive"}};
  for (const Row& row : rows) {
    CAPTURE(row.code);
    box.file("bad.tar", row.bytes);
    const auto before = snapshot(box.policy.root);
    CHECK(box.code(R"([{"operation":"extract","path":"bad.tar","dst":"in"}])") == row.code);
    CHECK(difference(before, snapshot(box.policy.root)) == "");
  }
  // Zeros that would unpack to a thousand times their size.
  box.file("zeros", std::string(8 << 20, '\0'));
  CHECK(box.run(R"([{"operation":"compress","path":"zeros","dst":"bomb.tar.gz"}])").end == Outcome::End::done);
  CHECK(box.code(R"([{"operation":"extract","path":"bomb.tar.gz","dst":"in"}])") == "too_large");
}

TEST_CASE("an undo leaves alone what has changed since, and can be finished later") {
  const Sandbox box;
  box.file("a.txt", "a");
  box.file("b.txt", "b");
  const Outcome done = box.run(R"([{"operation":"move","pattern":"*.txt","dst":"new/"}])");
  box.file("new/b.txt", "edited");
  {
    const Outcome undone = Agent(box.policy).undo(done.run);
    CHECK(undone.end == Outcome::End::partial);
    CHECK(undone.code == Code::changed_since_run);
    CHECK(undone.problems.size() == 2);  // The file, and the folder that it is in.
  }
  CHECK(box.text("a.txt") == "a");
  CHECK(box.text("new/b.txt") == "edited");
  const auto runs = Agent(box.policy).runs();
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].in_effect == 2);
  // A redo takes back what the undo did, and no more.
  CHECK(Agent(box.policy).redo().end == Outcome::End::done);
  CHECK(box.text("new/a.txt") == "a");
}

TEST_CASE("a step that fails takes the ones before it back, also on a disk that fills up halfway") {
  Sandbox box;
  box.file("a.txt", "a");
  const auto before = snapshot(box.policy.root);
  box.options.at = [](const char* point) {
    if (std::string(point) == "before done") throw AgentError(Code::no_space, "full");
  };
  CHECK(box.run(R"([{"operation":"move","src":"a.txt","dst":"x/a.txt"}])").code == Code::no_space);
  CHECK(difference(before, snapshot(box.policy.root)) == "");
  // A real one, where this machine can mount it.
  const fs::path disk = box.folder / "disk";
  fs::create_directories(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2M") != 0) {
    MESSAGE("skipped: no file system can be mounted");
    return;
  }
  box.policy.root = disk;
  box.file("a.bin", std::string(500'000, 'a'));
  const auto whole = snapshot(disk);
  int created = 0;
  box.options.at = [&](const char* point) {
    if (std::string(point) == "after create" && ++created == 2) write(disk / "filler", std::string(3 << 20, 'f'));
  };
  const Outcome full =
      box.run(R"([{"operation":"copy","src":"a.bin","dst":"b.bin"},{"operation":"copy","src":"a.bin","dst":"c.bin"}])");
  CHECK(full.code == Code::no_space);
  CHECK(full.end == Outcome::End::rolled_back);
  fs::remove(disk / "filler");
  auto after = snapshot(disk);
  after["."] = whole.at(".");  // The filler has changed its time.
  CHECK(difference(whole, after) == "");
  umount2(disk.c_str(), MNT_DETACH);
}

TEST_CASE("names that are not UTF-8 are kept byte for byte") {
  const Sandbox box;
  const std::string name = "\xff\xfe-\xc3.txt";
  box.file(name, "x");
  const auto before = snapshot(box.policy.root);
  CHECK(box.run(R"([{"operation":"move","pattern":"*.txt","dst":"d/"}])").end == Outcome::End::done);
  CHECK(box.text("d/" + name) == "x");
  CHECK(valid_utf8(bytes_of(box.policy.log_path)) == bytes_of(box.policy.log_path).size());
  CHECK(Agent(box.policy).undo().end == Outcome::End::done);
  CHECK(difference(before, snapshot(box.policy.root)) == "");
}

TEST_CASE("a root that is a file, that is not there, or that goes while the agent runs") {
  const Sandbox box;
  Policy policy = box.policy;
  policy.root = box.folder / "none";
  CHECK(error_of([&] { Agent{policy}; }).find("No such file") != std::string::npos);
  box.file("a.txt", "x");
  policy.root = box.policy.root / "a.txt";
  CHECK(error_of([&] { Agent{policy}; }) != "no error");
  Agent agent(box.policy);
  const Preview preview = agent.preview(parse_plan(R"([{"operation":"create","path":"b.txt"}])", kNow));
  fs::remove_all(box.policy.root);
  CHECK(agent.run(preview, {.yes = true, .typed = std::nullopt}).end == Outcome::End::denied);
  CHECK(!fs::exists(box.policy.root));
}

TEST_CASE("without openat2, folders are opened one by one and links are refused as well") {
  const TempFolder folder;
  fs::create_directories(folder / "root/a/b");
  fs::create_directories(folder / "outside");
  write(folder / "root/a/b/c.txt", "c");
  write(folder / "outside/c.txt", "SECRET");
  fs::create_symlink(folder / "outside", folder / "root/a/link");
  for (const bool walks : {false, true}) {
    Root root(folder / "root");
    if (walks) root.walk_by_components();
    CHECK(read_text(root.file("a/b/c.txt").get(), 10, "c") == "c");
    CHECK(root.entries("a").size() == 2);
    CHECK(!root.status("a/none/c.txt"));
    for (const char* path : {"a/link/c.txt", "a/link/x/c.txt"}) {
      try {
        root.file(path);
        FAIL("a link was followed");
      } catch (const AgentError& error) {
        CHECK(error.code() == Code::symlink);
      }
    }
  }
}

TEST_CASE("a log whose end was cut off, or that someone began anew, is found") {
  const Sandbox box;
  box.file("a.txt", "x");
  box.run(R"([{"operation":"move","src":"a.txt","dst":"b.txt"}])");
  const std::string log = bytes_of(box.policy.log_path);
  CHECK(Agent(box.policy).verify_log() == 2);
  write(box.policy.log_path, log.substr(0, log.find('\n') + 1));
  CHECK(error_of([&] { Agent{box.policy}; }).find("its end was cut off") != std::string::npos);
  fs::remove(box.policy.log_path);
  CHECK(error_of([&] { Agent{box.policy}; }).find("its end was cut off") != std::string::npos);
  // Half a line, as a crash leaves it, is not a line.
  write(box.policy.log_path, log + "{\"time\":");
  CHECK(Agent(box.policy).verify_log() == 2);
}

TEST_CASE("without backups a run is still rolled back, but not undone") {
  Sandbox box;
  box.policy.backup = false;
  box.file("a.txt", "x");
  CHECK(box.run(R"([{"operation":"delete","path":"a.txt"}])").end == Outcome::End::done);
  CHECK(fs::is_empty(box.policy.root / ".agent/backup"));
  const Outcome undone = Agent(box.policy).undo();
  CHECK(undone.end == Outcome::End::denied);
  CHECK(undone.code == Code::backup_missing);
}

TEST_CASE("texts in GB18030 are changed in their own encoding") {
  const Sandbox box;
  box.file("a.txt", "\xd6\xd0\xce\xc4\n");  // 中文
  CHECK(
      box.run(
             R"([{"operation":"update","path":"a.txt","encoding":"gbk","edits":[{"kind":"replace","find":"文","with":"国"}]}])")
          .end == Outcome::End::done);
  CHECK(box.text("a.txt") == "\xd6\xd0\xb9\xfa\n");
}

TEST_CASE("what a mode, an owner's bits and attributes say stays with a file that is updated") {
  const Sandbox box;
  box.file("a.txt", "x");
  chmod((box.policy.root / "a.txt").c_str(), 0640);
  CHECK(box.run(R"([{"operation":"update","path":"a.txt","edits":[{"kind":"append","with":"y"}]}])").end ==
        Outcome::End::done);
  struct stat status {};
  REQUIRE(stat((box.policy.root / "a.txt").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);
  CHECK(box.text("a.txt") == "xy");
}

TEST_CASE("what is confirmed is what is shown: a file that comes into a folder later saves the folder") {
  const Sandbox box;
  box.file("d/a.txt", "x");
  Agent agent(box.policy);
  const Preview preview = agent.preview(parse_plan(R"([{"operation":"delete","path":"d","recursive":true}])", kNow));
  box.file("d/new.txt", "new");
  const Outcome outcome = agent.run(preview, {.yes = true, .typed = preview.number_to_type()});
  CHECK(outcome.end == Outcome::End::denied);
  CHECK(outcome.code == Code::changed_since_plan);
  CHECK(box.has("d/a.txt"));
}

}  // namespace tinyllm::test
