#include <doctest/doctest.h>

#include <tinyllm/runtime/search/answer.h>
#include <tinyllm/runtime/search/evaluate.h>
#include <tinyllm/runtime/search/sync.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/file_lock.h>

#include "error_of.h"
#include "runtime/documents/make_pdf.h"
#include "temp_folder.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tinyllm::search::test {
namespace {

using tinyllm::test::error_of;
using tinyllm::test::TempFolder;

// A folder of documents beside its index.
struct Library {
  TempFolder temp;
  std::filesystem::path folder = temp / "docs";
  std::filesystem::path file = temp / "index.db";

  Library() {
    make_folder(folder);
    write("cat.md", "# 家猫\n\n家猫是一种小型猫科动物。成年家猫的体重约为4公斤。它每天睡眠大约15个小时。\n");
    write("rail.txt", "青藏铁路于2006年7月1日全线通车。它从西宁通往拉萨，全长1956公里。\n");
    write("lake.txt", "Lake Baikal is the deepest lake in the world. Its greatest depth is 1642 metres.\n");
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }

  SyncReport sync(const OnProgress& on_progress = {}) {
    IndexFile index(file, Database::Mode::create);
    const SyncReport report = sync_folder(index, folder, {.characters = 256, .threads = 2}, on_progress);
    check_counts(index);
    return report;
  }
  // Every chunk that is there has its row, and its text.
  static void check_counts(IndexFile& index) {
    int64_t there = 0;
    for (ChunkId id = 1; id < index.chunks_end(); ++id) {
      if (index.length_of(id) == 0) continue;
      ++there;
      const ChunkRecord chunk = index.chunk(id);
      CHECK(std::ssize(index.text(chunk.document, chunk.offset, chunk.length)) == chunk.length);
    }
    CHECK(there == index.chunks());
    CHECK(index.database().number("SELECT count(*) FROM chunks") == there);
  }
  std::vector<std::string> paths_for(const std::string& question) {
    const DocumentAnswer answer = DocumentSearch(file).answer(question);
    std::vector<std::string> paths;
    for (const Quote& quote : answer.is_found ? answer.quotes : answer.nearest) paths.push_back(quote.path);
    return paths;
  }
  bool is_first(const std::string& question, const std::string& path) {
    const std::vector<std::string> paths = paths_for(question);
    return !paths.empty() && paths[0] == path;
  }
};

}  // namespace

TEST_CASE("an index agrees with its folder, and only what changed is read") {
  Library library;
  SyncReport report = library.sync();
  CHECK(report.added == 3);
  CHECK(library.is_first("青藏铁路什么时候通车？", "rail.txt"));

  report = library.sync();
  CHECK(report.added + report.changed + report.gone == 0);
  CHECK(report.unchanged == 3);
  CHECK(report.bytes == 0);

  library.write("rail.txt", "这里不再说铁路，只说茶叶。茶叶原产于中国西南。\n");
  library.write("new.txt", "蜂鸟能够悬停在空中。\n");
  std::filesystem::remove(library.folder / "lake.txt");
  report = library.sync();
  CHECK(report.added == 1);
  CHECK(report.changed == 1);
  CHECK(report.gone == 1);
  CHECK(report.unchanged == 1);
  CHECK(library.is_first("茶叶原产于哪里？", "rail.txt"));
  CHECK(library.is_first("蜂鸟能够悬停在哪里？", "new.txt"));
  CHECK(library.paths_for("Baikal deepest").empty());
  CHECK(library.paths_for("青藏拉萨").empty());
}

TEST_CASE("many small changes leave few segments and the same answers") {
  Library library;
  library.sync();
  for (int i = 0; i < 25; ++i) {
    library.write("n" + std::to_string(i % 20) + ".txt",
                  "第" + std::to_string(i) + "号仓库存放编号A-" + std::to_string(1000 + i) + "的货物。\n");
    library.sync();
  }
  IndexFile index(library.file, Database::Mode::read);
  CHECK(index.database().number("SELECT count(*) FROM segments") <= 8);
  CHECK(index.chunks() == 23);
  CHECK(library.is_first("编号A-1019的货物存放在哪里", "n19.txt"));
  CHECK(library.is_first("编号A-1024的货物存放在哪里", "n4.txt"));
  CHECK_FALSE(library.is_first("编号A-1003的货物", "n3.txt"));  // It was replaced by 1023.
}

TEST_CASE("files of equal content are stored once, and stay while one of them does") {
  Library library;
  std::filesystem::copy(library.folder / "rail.txt", library.folder / "copy.txt");
  library.sync();
  {
    IndexFile index(library.file, Database::Mode::read);
    CHECK(index.database().number("SELECT count(*) FROM documents") == 3);
  }
  CHECK(library.paths_for("青藏铁路全长多少公里") == std::vector<std::string>{"copy.txt"});
  std::filesystem::remove(library.folder / "copy.txt");
  CHECK(library.sync().gone == 1);
  CHECK(library.paths_for("青藏铁路全长多少公里") == std::vector<std::string>{"rail.txt"});
  std::filesystem::rename(library.folder / "rail.txt", library.folder / "moved.txt");
  library.sync();
  CHECK(library.paths_for("青藏铁路全长多少公里") == std::vector<std::string>{"moved.txt"});
}

TEST_CASE("what cannot be read is noted, and the rest is indexed") {
  Library library;
  library.write("lines.jsonl", "{\"text\": \"good\"}\n{\"text\": 5}\n");
  library.write("picture.png", "PNG");
  std::filesystem::create_symlink(library.folder / "cat.md", library.folder / "link.md");
  const SyncReport report = library.sync();
  CHECK(report.added == 3);
  CHECK(report.unread == 1);
  REQUIRE(report.notes.size() == 1);
  CHECK(report.notes[0].path == "lines.jsonl");
  CHECK(report.notes[0].what.find("line 2") != std::string::npos);
  CHECK(report.notes[0].is_unread);
  CHECK(report.others == 2);
  CHECK(error_of([&] {
          IndexFile index(library.file, Database::Mode::write);
          sync_folder(index, library.temp / "missing", {});
        }).find("is not a folder") != std::string::npos);
}

TEST_CASE("a file that cannot be read is not read again until it changes") {
  Library library;
  library.write("lines.jsonl", "{\"text\": 5}\n");
  library.sync();
  SyncReport report = library.sync();
  CHECK(report.unread == 1);
  CHECK(report.bytes == 0);
  REQUIRE(report.notes.size() == 1);
  CHECK(report.notes[0].what.starts_with("is still unreadable: line 1: "));
  library.write("lines.jsonl", "{\"text\": \"现在是好的了。\"}\n");
  report = library.sync();
  CHECK(report.added == 1);
  CHECK(report.unread == 0);
  CHECK(library.is_first("现在是什么样的？", "lines.jsonl"));
}

namespace {

// The search path of programs, replaced for a while.
struct ProgramPath {
  std::string before = std::getenv("PATH");
  explicit ProgramPath(const std::string& path) { setenv("PATH", path.c_str(), 1); }
  ~ProgramPath() { setenv("PATH", before.c_str(), 1); }
};

std::string pdf_of(const std::string& text) { return tinyllm::test::make_pdf({{{50, 400, text}}}); }

}  // namespace

TEST_CASE("a failure of the machine takes nothing out of the index") {
  Library library;
  library.write("bridge.pdf", pdf_of("港珠澳大桥于二零一八年开通。"));
  library.sync();
  REQUIRE(library.is_first("港珠澳大桥何时开通？", "bridge.pdf"));
  library.write("bridge.pdf", pdf_of("青马大桥于一九九七年开通。"));
  {
    const ProgramPath without_programs("/nonexistent");
    const SyncReport report = library.sync();
    CHECK(report.unread == 1);
    REQUIRE(report.notes.size() == 1);
    CHECK(report.notes[0].what ==
          "pdftotext is not installed: install the package poppler-utils; the index keeps what it had");
  }
  CHECK(library.is_first("港珠澳大桥何时开通？", "bridge.pdf"));
  CHECK(library.sync().changed == 1);
  CHECK(library.is_first("青马大桥何时开通？", "bridge.pdf"));

  std::filesystem::rename(library.folder, library.temp / "elsewhere");
  make_folder(library.folder);
  IndexFile index(library.file, Database::Mode::write);
  CHECK(error_of([&] { sync_folder(index, library.folder, {}); }).find("has no documents, but the index has 4 files") !=
        std::string::npos);
  CHECK(library.is_first("青马大桥何时开通？", "bridge.pdf"));
}

TEST_CASE("a file that is replaced while it is read is read again, and is never known under another content") {
  Library library;
  library.write("bridge.pdf", pdf_of("港珠澳大桥于二零一八年开通。"));
  std::ofstream(library.temp / "other.pdf") << pdf_of("青马大桥于一九九七年开通。");
  make_folder(library.temp / "bin");
  const std::string programs = std::getenv("PATH");
  // Puts the other file in place before the first one is read.
  std::ofstream(library.temp / "bin/pdftotext")
      << "#!/bin/sh\nmv '" << (library.temp / "other.pdf").string() << "' '" << (library.folder / "bridge.pdf").string()
      << "'\nexec pdftotext \"$@\"\n";
  std::filesystem::permissions(library.temp / "bin/pdftotext", std::filesystem::perms::owner_all);
  {
    const ProgramPath first((library.temp / "bin").string() + ":" + programs);
    const SyncReport report = library.sync();
    CHECK(report.unread == 1);
    REQUIRE(report.notes.size() == 1);
    CHECK(report.notes[0].what == "was changed while it was read");
  }
  CHECK(library.sync().added == 1);
  CHECK(library.is_first("青马大桥何时开通？", "bridge.pdf"));
}

TEST_CASE("titles and headings cost nothing beyond a few hundred characters") {
  Library library;
  std::string words, lines = "# ";
  for (int i = 0; i < 20'000; ++i) words += "词" + std::to_string(i);
  lines += words + "\n\n";
  for (int i = 0; i < 200; ++i) lines += "第" + std::to_string(i) + "段。\n\n";
  library.write("long.md", lines);
  library.write("long.jsonl", "{\"title\": \"" + words + "\", \"text\": \"" + std::string(100'000, 'x') + "\"}\n");
  library.sync();
  CHECK(std::filesystem::file_size(library.file) < 4'000'000);
}

TEST_CASE("a file that is gone when it is read is not indexed") {
  Library library;
  // The files are read in order; the first report comes before the last file is taken.
  library.write("aaa.txt", "第一份文件。\n");
  IndexFile index(library.file, Database::Mode::create);
  const std::vector<FileState> files = list_documents(library.folder).files;
  CHECK(files.size() == 4);
  std::filesystem::remove(library.folder / "aaa.txt");
  CHECK(error_of([&] { hash_of_file(library.folder / files[0].path); }).find("aaa.txt") != std::string::npos);
}

TEST_CASE("lines of JSON are documents with names and titles") {
  Library library;
  library.write("wiki.jsonl",
                "{\"id\": \"A\", \"title\": \"长江\", \"text\": \"全长约6300公里。\"}\n"
                "{\"id\": \"B\", \"title\": \"黄河\", \"text\": \"全长约5464公里。\"}\n");
  library.sync();
  const DocumentAnswer answer = DocumentSearch(library.file).answer("黄河全长多少公里？");
  const std::vector<Quote>& places = answer.is_found ? answer.quotes : answer.nearest;
  REQUIRE_FALSE(places.empty());
  CHECK(places[0].name == "B");
  CHECK(places[0].title == "黄河");
  CHECK(places[0].text == "全长约5464公里。");
}

TEST_CASE("another file, another version, another folder and other chunks are refused") {
  Library library;
  library.sync();
  CHECK(error_of([&] { DocumentSearch(library.folder / "cat.md"); }).find("is not an index of documents") !=
        std::string::npos);
  CHECK(error_of([&] { DocumentSearch(library.temp / "none.db"); }).find("none.db: does not exist") !=
        std::string::npos);
  {
    IndexFile index(library.file, Database::Mode::write);
    CHECK(error_of([&] {
            sync_folder(index, library.folder, {.characters = 64});
          }).find("has chunks of 256 characters, not of 64") != std::string::npos);
    CHECK(error_of([&] { sync_folder(index, library.temp.path(), {}); }).find("is the index of") != std::string::npos);
    const FileLock lock(library.file);
    CHECK(error_of([&] { sync_folder(index, library.folder, {}); }).find("is in use by another process") !=
          std::string::npos);
    index.database().run("PRAGMA user_version = 9");
  }
  CHECK(error_of([&] { DocumentSearch{library.file}; }).find("is an index of version 9, expected 3") !=
        std::string::npos);
  Database(library.file, Database::Mode::write).run("PRAGMA application_id = 1");
  CHECK(error_of([&] { DocumentSearch{library.file}; }).find("is not an index of documents") != std::string::npos);
}

TEST_CASE("a damaged index is refused or answers, and ends nothing") {
  Library library;
  library.sync();
  const std::string sound = read_file(library.file);
  int refused = 0;
  for (size_t at = 100; at < sound.size(); at += 97) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(~damaged[at]);
    write_file(library.file, damaged);
    refused += error_of([&] { DocumentSearch(library.file).answer("青藏铁路什么时候通车？"); }) != "no error";
  }
  CHECK(refused > 0);
}

TEST_CASE("work that is stopped keeps what is done and continues") {
  Library library;
  for (int i = 0; i < 40; ++i) library.write(std::to_string(i) + ".txt", "第" + std::to_string(i) + "份。\n");
  SyncReport report = library.sync([](const Progress&) { return false; });
  CHECK(report.stopped);
  CHECK(report.added < 43);
  const int64_t before = report.added;
  report = library.sync();
  CHECK(report.unchanged == before);
  CHECK(report.added == 43 - before);
}

TEST_CASE("questions are answered while much is being written, and after a writer was killed") {
  Library library;
  library.sync();
  {
    IndexFile index(library.file, Database::Mode::write);
    IndexWriter writer(index);
    NewDocument document{"", "", std::string(8 << 20, 'x'), {}, {}};
    writer.add({"big.txt", 1, 1}, "hash", {document});
    CHECK(library.is_first("青藏铁路什么时候通车？", "rail.txt"));
  }
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // With a small cache, what is not committed reaches the file.
    Database database(library.file, Database::Mode::write);
    database.run(
        "PRAGMA cache_spill = ON; PRAGMA cache_size = 10; BEGIN; DELETE FROM files; UPDATE texts SET bytes = "
        "zeroblob(1000000); UPDATE contents SET hash = hash");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(std::filesystem::file_size(library.file.string() + "-journal") > 0);
  CHECK(library.is_first("青藏铁路什么时候通车？", "rail.txt"));
}

TEST_CASE("after kill -9 an index is the old one or the new one") {
  Library library;
  library.sync();
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 30; ++i) {
      library.write("f" + std::to_string(i) + ".txt",
                    "第" + std::to_string(round) + "轮第" + std::to_string(i) + "份文件写着不同的内容。\n");
    }
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      int seen = 0;
      try {
        IndexFile index(library.file, Database::Mode::write);
        sync_folder(index, library.folder, {.characters = 256, .threads = 1}, [&](const Progress&) {
          if (++seen == 3 * round + 1) kill(getpid(), SIGKILL);
          return true;
        });
      } catch (...) {
      }
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    IndexFile index(library.file, Database::Mode::read);
    Library::check_counts(index);
    CHECK(index.database().number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check != 'ok'") == 0);
  }
  library.sync();
  CHECK(library.is_first("第7轮第29份文件写着什么", "f29.txt"));
}

}  // namespace tinyllm::search::test
