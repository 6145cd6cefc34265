#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

// SQLite with errors that name the file.
namespace tinyllm::search {

class Statement;

class Database {
 public:
  enum class Mode { read, write, create };

  /// Opens a file as it is; `create` makes it if it is missing. `read` changes nothing but what a killed writer left.
  /// What the file defines itself (triggers, views, functions) is not trusted. Throws Error when it cannot be opened.
  /// Other connections are waited for, up to ten seconds.
  Database(const std::filesystem::path& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements without results.
  void run(const char* sql);
  Statement prepare(const char* sql) const;
  /// The number that a statement of one row gives.
  int64_t number(const char* sql) const;
  int64_t last_row() const;
  const std::filesystem::path& path() const { return path_; }
  /// Throws Error with what SQLite says.
  [[noreturn]] void fail() const;

 private:
  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

/// A statement with `?` in place of values. Texts and blobs that are bound must live until the next step is done, and
/// those that are read until the next step.
class Statement {
 public:
  Statement(const Database& database, sqlite3_stmt* handle);

  /// Binds all values in order and returns to the beginning.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int i = 0;
    (bind_value(++i, values), ...);
    return *this;
  }
  /// Moves to the next row; false after the last one.
  bool step();
  /// For a statement without rows.
  void run();
  void reset();

  int64_t number(int column) const;
  std::string_view bytes(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const;
  };

  void bind_value(int i, int64_t value);
  void bind_value(int i, std::string_view bytes);

  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

/// What happens within it happens as a whole, or not at all: it is undone unless it was committed.
class Transaction {
 public:
  /// One that writes keeps other writers out from its beginning.
  Transaction(Database& database, bool writes);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace tinyllm::search
