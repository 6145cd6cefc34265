#include <tinyllm/runtime/search/database.h>

#include <tinyllm/tensor/base/error.h>

#include <sqlite3.h>

namespace tinyllm::search {
namespace {

constexpr int kWait = 10'000;  // Milliseconds.

}  // namespace

Database::Database(const std::filesystem::path& path, Mode mode) : path_(path) {
  std::error_code error;
  if (mode != Mode::create && status(path, error).type() == std::filesystem::file_type::not_found) {
    throw Error("{}: does not exist", path.string());
  }
  // Also to read: what a killed writer left half-written is taken back by the next one who may write.
  const int flags = SQLITE_OPEN_READWRITE | (mode == Mode::create ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
    const std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_) : "out of memory";
    sqlite3_close(handle_);
    throw Error("{}: cannot be opened: {}", path.string(), reason);
  }
  sqlite3_busy_timeout(handle_, kWait);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  // A writer that runs out of cache would lock readers out until it commits. IndexWriter bounds what it keeps.
  sqlite3_exec(handle_, mode == Mode::read ? "PRAGMA query_only = ON" : "PRAGMA cache_spill = OFF", nullptr, nullptr,
               nullptr);
}

Database::~Database() { sqlite3_close_v2(handle_); }

void Database::fail() const {
  const int code = sqlite3_errcode(handle_);
  if (code == SQLITE_NOTADB) throw Error("{}: is not an index of documents", path_.string());
  const bool is_damaged = code == SQLITE_CORRUPT || code == SQLITE_ERROR;
  throw Error("{}: {}{}", path_.string(), sqlite3_errmsg(handle_), is_damaged ? "; build the index again" : "");
}

void Database::run(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

Statement Database::prepare(const char* sql) const {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr) != SQLITE_OK) fail();
  return {*this, statement};
}

int64_t Database::number(const char* sql) const {
  Statement statement = prepare(sql);
  return statement.step() ? statement.number(0) : 0;
}

int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_); }

void Statement::Finalize::operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }

Statement::Statement(const Database& database, sqlite3_stmt* handle) : database_(&database), handle_(handle) {}

bool Statement::step() {
  const int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) database_->fail();
  return false;
}

void Statement::run() {
  step();
  reset();
}

// A failed step is reported by the step itself.
void Statement::reset() { sqlite3_reset(handle_.get()); }

void Statement::bind_value(int i, int64_t value) {
  if (sqlite3_bind_int64(handle_.get(), i, value) != SQLITE_OK) database_->fail();
}

// As a blob: it compares by bytes, and zeros within it are bytes as others are. A null pointer would bind NULL.
void Statement::bind_value(int i, std::string_view bytes) {
  const char* data = bytes.data() != nullptr ? bytes.data() : "";
  if (sqlite3_bind_blob64(handle_.get(), i, data, bytes.size(), SQLITE_STATIC) != SQLITE_OK) database_->fail();
}

int64_t Statement::number(int column) const { return sqlite3_column_int64(handle_.get(), column); }

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(handle_.get(), column);
  return {static_cast<const char*>(data), static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Transaction::Transaction(Database& database, bool writes) : database_(database) {
  database.run(writes ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {  // SQLite has rolled back already, or does when the file is opened next.
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace tinyllm::search
