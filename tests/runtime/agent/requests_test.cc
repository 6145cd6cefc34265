// What a request must never come to: a change that its words do not say.
#include <doctest/doctest.h>

#include <tinyllm/runtime/agent/planner.h>
#include <tinyllm/tensor/base/json.h>

#include <string>
#include <vector>

using namespace tinyllm::agent;

namespace tinyllm::test {
namespace {

constexpr int64_t kNow = 1'796'011'200'000'000'000;  // 2026-11-30 12:00 at UTC+8 and near it elsewhere.

// Names that begin alike, a folder beside an archive of it, and names that are words of commands.
const std::vector<std::string>& tree() {
  static const std::vector<std::string> all = {"bak/",
                                               "budget.xlsx",
                                               "docs.zip",
                                               "docs/api.md",
                                               "downloads/a.pdf",
                                               "downloads/b.JPG",
                                               "downloads/c.md",
                                               "logs/app.log",
                                               "logs/app.old",
                                               "logs/x.jpg",
                                               "notes/idea.txt",
                                               "notes/run/a.txt",
                                               "notes/todo.md",
                                               "notes/undo.txt",
                                               "photos/p.jpg",
                                               "photos/q.PNG",
                                               "reports/",
                                               "tmp/a.tmp",
                                               "tmp/keep.txt",
                                               "todo2.md",
                                               "x.log",
                                               "src/c.cpp",
                                               "downloads/invoice.pdf"};
  return all;
}

Proposal proposed(const std::string& request) { return propose(request, tree(), "/home/me/root", kNow); }

// The only step of a plan; null if the request is not one step.
Json step_of(const std::string& request) {
  const Proposal got = proposed(request);
  if (got.kind != Proposal::Kind::plan) return {};
  const Json steps = Json::parse(got.text);
  return steps.size() == 1 ? steps[0] : Json();
}

void all_asked(const std::vector<std::string>& requests) {
  for (const std::string& request : requests) {
    const Proposal got = proposed(request);
    CAPTURE(request);
    CAPTURE(got.text);
    CHECK(got.kind == Proposal::Kind::ask);
  }
}

void steps_are(const std::vector<std::pair<std::string, Json>>& requests) {
  for (const auto& [request, step] : requests) {
    CAPTURE(request);
    CHECK(step_of(request) == step);
  }
}

Json deletion(const std::string& path, bool is_folder = false) {
  Json step = {{"operation", "delete"}, {"path", path}};
  if (is_folder) step["recursive"] = true;
  return step;
}

Json text_added(const std::string& path, const std::string& text) {
  const Json edit = {{"kind", "append"}, {"with", text}};
  return {{"operation", "update"}, {"path", path}, {"edits", Json::array({edit})}};
}

}  // namespace

TEST_CASE("only a request that is nothing but an undo takes runs back, and exactly those it names") {
  struct Case {
    const char* request;
    int64_t runs, run;
  };
  for (const Case& test : std::vector<Case>{{"undo", 1, 0},
                                            {"Undo the last run.", 1, 0},
                                            {"please undo that", 1, 0},
                                            {"undo the last ten runs", 10, 0},
                                            {"undo the last 12 changes", 12, 0},
                                            {"undo run 3", 1, 3},
                                            {"undo run number 14", 1, 14},
                                            {"撤销", 1, 0},
                                            {"请撤销上一步", 1, 0},
                                            {"撤销最近 6 次", 6, 0},
                                            {"撤销最近两次操作", 2, 0},
                                            {"撤销第 3 次运行", 1, 3},
                                            {"把刚才的操作撤销", 1, 0},
                                            {"恢复上一步", 1, 0}}) {
    const Proposal got = proposed(test.request);
    CAPTURE(test.request);
    CHECK(got.kind == Proposal::Kind::undo);
    CHECK(got.runs == test.runs);
    CHECK(got.run == test.run);
  }
  all_asked({"不要撤销", "how do I undo?", "delete notes then undo", "撤销对 todo2.md 的修改", "undo 3",
             "undo the rename of photos", "undo the last few runs", "undo runs 3 and 4", "undo the last 0 runs",
             "don't undo", "undo?", "撤销？"});
  CHECK(proposed("undo run 99999999999999999999").kind != Proposal::Kind::undo);
  steps_are({{"delete notes/undo.txt", deletion("notes/undo.txt")},
             {"create a file called undo2.txt in notes",
              {{"operation", "create"}, {"path", "notes/undo2.txt"}, {"content", ""}}},
             {"把 notes/todo.md 复制为 notes/撤销.md",
              {{"operation", "copy"}, {"src", "notes/todo.md"}, {"dst", "notes/撤销.md"}}}});
}

TEST_CASE("a name means the file or folder that has all of it") {
  steps_are(
      {{"delete docs/", deletion("docs", true)},
       {"delete the docs folder", deletion("docs", true)},
       {"删除 docs 文件夹", deletion("docs", true)},
       {"delete docs.zip", deletion("docs.zip")},
       {"删除 logs/app.log", deletion("logs/app.log")},
       {"list docs", {{"operation", "list"}, {"path", "docs"}}},
       {"备份 docs 目录到 bak", {{"operation", "copy"}, {"src", "docs"}, {"dst", "bak/docs"}}},
       {"move docs/ to reports", {{"operation", "move"}, {"src", "docs"}, {"dst", "reports/docs"}}},
       {"move budget to reports", {{"operation", "move"}, {"src", "budget.xlsx"}, {"dst", "reports/budget.xlsx"}}},
       {"清空 logs，保留 app.log",
        {{"operation", "delete"},
         {"pattern", "logs/*"},
         {"recursive", true},
         {"filters", {{"except", {"logs/app.log"}}}}}}});
  all_asked({"delete docs", "move docs to reports", "备份 docs 到 bak", "delete app", "删除 todo",
             "清空 logs，保留 app", "清空 logs，保留 x"});
}

TEST_CASE("what limits a deletion is never passed over") {
  all_asked({"delete tmp, don't ask me again but keep keep.txt", "删除 downloads，不用问我，除了 pdf",
             "删除 tmp，别问我，但是保留 keep.txt",
             // A time without a direction, a size without a unit, a month that there is not.
             "删除 logs 里 3 天的日志", "delete 7 day photos", "delete photos from the last 7 days",
             "删除最近 7 天的照片", "delete photos over 10", "删除 photos 里大于 5 的照片", "删除 13 月的照片",
             "删除 photos 里 0 月的照片", "delete files from 0000 in logs",
             // All of a folder, or all folders, that nobody named.
             "删除 tmp 文件", "删除 logs 文件", "删除 notes 记录", "delete the log", "delete log", "delete jpg",
             "delete jpg files", "delete **", "delete *.*"});
  const Json large = {{"ext", {"log"}}, {"larger_than", "5 MB"}, {"type", "file"}};
  const Json old = {{"ext", {"log"}}, {"older_than", "30d"}, {"type", "file"}};
  for (const char* request :
       {"delete logs in logs older than 30 days", "删除 logs 里 30 天前的日志", "删除 logs 里超过 30 天没动过的日志"}) {
    CAPTURE(request);
    CHECK(step_of(request) == Json{{"operation", "delete"}, {"pattern", "logs/*"}, {"filters", old}});
  }
  steps_are({{"删除 logs 里大于 5 MB 的日志", {{"operation", "delete"}, {"pattern", "logs/*"}, {"filters", large}}},
             {"delete tmp, don't ask me again", deletion("tmp", true)},
             {"删除 tmp，不用问我了", deletion("tmp", true)},
             // Endings without case.
             {"delete all jpg", {{"operation", "delete"}, {"pattern", "**/*"}, {"filters", {{"ext", {"jpg"}}}}}},
             {"删除 downloads 里的 jpg",
              {{"operation", "delete"}, {"pattern", "downloads/*"}, {"filters", {{"ext", {"jpg"}}}}}}});
}

TEST_CASE("a question changes nothing") {
  all_asked(
      {"delete tmp?", "删除 tmp？", "can I move todo2.md to notes?", "move todo2.md to notes ?!", "删除 tmp 好吗？"});
  CHECK(step_of("photos 里有哪些 jpg？")["operation"] == "list");
  CHECK(step_of("list docs?")["operation"] == "list");
  CHECK(step_of("create n.md containing: why?")["content"] == "why?\n");
}

TEST_CASE("text is what is quoted or follows a colon") {
  steps_are({{"append 'milk' to notes/todo.md", text_added("notes/todo.md", "milk\n")},
             {"append to notes/todo.md: milk and bread", text_added("notes/todo.md", "milk and bread\n")},
             {"在 notes/todo.md 追加“牛奶”", text_added("notes/todo.md", "牛奶\n")},
             {"在 notes/todo.md 末尾追加一行：牛奶", text_added("notes/todo.md", "牛奶\n")}});
  all_asked({"add tag 接口 to docs/api.md", "append notes/idea.txt to notes/todo.md", "在 notes/todo.md 追加 牛奶",
             "append 'notes/idea.txt' to notes/todo.md", "append to notes/todo.md: notes/idea.txt",
             "在 docs/api.md 添加标签“接口”", "在 docs/api.md 添加：标签 接口", "append a line to notes/todo.md",
             "tag docs/api.md with 接口 and delete it"});
  CHECK(step_of("tag docs/api.md with 接口")["tag"] == "接口");
  CHECK(step_of("tag docs/api.md with 'two words'")["tag"] == "two words");
}

TEST_CASE("a move takes only what its words say, to a place that has a name") {
  all_asked({"move pdf contracts to reports", "move md drafts to reports", "把 tmp 文件移到 reports",
             "move todo2.md to another folder", "move todo2.md to the trash", "move todo2.md to desktop",
             "move todo2.md to somewhere", "把 todo2.md 移到回收站", "把 todo2.md 移到桌面",
             "把 todo2.md 移到别的文件夹", "把 todo2.md 放到哪里"});
  CHECK(step_of("move all pdf invoices from downloads to reports")["pattern"] == "downloads/*");
  CHECK(step_of("move jpg photos from downloads to reports")["filters"]["ext"] == Json{"jpg"});
  CHECK(step_of("rename budget to plan")["new_name"] == "plan.xlsx");
  CHECK(step_of("rename budget.xlsx to plan.xls")["new_name"] == "plan.xls");
  CHECK(step_of("rename budget to plan.xls")["new_name"] == "plan.xls");
}

TEST_CASE("names are not commands, and a refusal says in words what it is about") {
  CHECK(step_of("list notes/run") == Json{{"operation", "list"}, {"path", "notes/run"}});
  CHECK(step_of("create a file called 运行.txt in notes")["path"] == "notes/运行.txt");
  const Json shown = {{"operation", "list"}, {"path", "tmp"}, {"recursive", true}};
  for (const char* request : {"把 tmp 删了但是先别执行", "先别执行，把 tmp 删掉", "如果删掉 tmp 会删哪些",
                              "delete tmp but don't run it yet"}) {
    CAPTURE(request);
    CHECK(step_of(request) == shown);
  }
  struct Case {
    const char *request, *code, *word;
  };
  for (const Case& test : std::vector<Case>{{"运行 downloads/a.pdf", "op_not_allowed", "运行"},
                                            {"sudo delete tmp", "op_not_allowed", "sudo"},
                                            {"read /etc/passwd", "outside_root", "/etc/passwd"},
                                            {"delete ../x", "outside_root", "../x"},
                                            {"turn off the audit log", "protected", "audit log"}}) {
    const Proposal got = proposed(test.request);
    CAPTURE(test.request);
    CHECK(got.kind == Proposal::Kind::refuse);
    CHECK(got.code == test.code);
    CHECK(got.text.find(test.word) != std::string::npos);
    CHECK(got.text.find(test.code) == std::string::npos);
  }
}

}  // namespace tinyllm::test
