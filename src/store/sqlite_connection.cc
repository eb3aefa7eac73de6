#include "store/sqlite_connection.h"

#include <cerrno>
#include <optional>
#include <utility>

namespace timepool::store {
namespace {

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_, column);
  }
  double real(int column) const override { return sqlite3_column_double(statement_, column); }
  std::string_view text(int column) const override {
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    if (data == nullptr || size <= 0) return {};
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
  }

 private:
  sqlite3_stmt* statement_;
};

ErrorCode error_code(int code, int system_errno) {
  if (system_errno == ENOSPC || system_errno == EDQUOT) return ErrorCode::kExhausted;
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ErrorCode::kExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_CONSTRAINT:
      return ErrorCode::kExists;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return ErrorCode::kDenied;
    default:
      return ErrorCode::kSystem;
  }
}

int bind_value(sqlite3_stmt* statement, int index, const Param& param) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, index, value); }
    int operator()(double value) const { return sqlite3_bind_double(statement, index, value); }
    int operator()(const std::string& value) const {
      return sqlite3_bind_text64(statement, index, value.data(), value.size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    }
    int operator()(const Blob& value) const {
      return sqlite3_bind_blob64(statement, index, value.bytes.data(), value.bytes.size(),
                                 SQLITE_STATIC);
    }
  };
  return std::visit(Binder{statement, index}, param);
}

// $n is a name to SQLite: its index is the order of first appearance, not n.
int bind_all(sqlite3_stmt* statement, const Param* params, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = "$" + std::to_string(i + 1);
    const int index = sqlite3_bind_parameter_index(statement, name.c_str());
    if (index == 0) return SQLITE_RANGE;
    const int code = bind_value(statement, index, params[i]);
    if (code != SQLITE_OK) return code;
  }
  return sqlite3_bind_parameter_count(statement) == static_cast<int>(count) ? SQLITE_OK
                                                                            : SQLITE_RANGE;
}

std::string settings(const SqliteOptions& options, SqliteConnection::Use use) {
  std::string out = "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;";
  if (use == SqliteConnection::Use::kRead) return out + "PRAGMA query_only=ON;";
  out += "PRAGMA journal_mode=WAL;";
  out += options.sync_every_commit ? "PRAGMA synchronous=FULL;" : "PRAGMA synchronous=NORMAL;";
  return out;
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const SqliteOptions& options,
                                                                 Use use) {
  sqlite3* db = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (use == Use::kWrite ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(options.path.c_str(), &db, flags, nullptr);
  std::unique_ptr<SqliteConnection> out(new SqliteConnection(db, options.path));
  if (code != SQLITE_OK) return fail(out->error(code, "open"));
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, 5000);
  TRY(out->script(settings(options, use)));
  if (use == Use::kWrite && options.max_bytes > 0) {
    std::int64_t page_size = 4096;
    TRY(out->run("PRAGMA page_size", {}, [&](const Row& row) { page_size = row.integer(0); }));
    const auto pages = static_cast<std::int64_t>(options.max_bytes) / page_size;
    TRY(out->script("PRAGMA max_page_count=" + std::to_string(pages)));
  }
  return out;
}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  sqlite3_close(db_);
}

Result<void> SqliteConnection::script(const std::string& sql) {
  const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error(code, sql.substr(0, 60)));
  return {};
}

Result<sqlite3_stmt*> SqliteConnection::prepared(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second.get();
  if (statements_.size() >= kMaxStatements) statements_.clear();
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fail(error(code, sql.substr(0, 60)));
  CHECK(statement != nullptr);
  statements_.emplace(std::string(sql), Statement(statement));
  return statement;
}

Result<std::int64_t> SqliteConnection::run_statement(std::string_view sql, const Param* params,
                                                     std::size_t count, const RowHandler& handler) {
  sqlite3_stmt* statement = TRY(prepared(sql));
  CHECK(bind_all(statement, params, count) == SQLITE_OK);
  const SqliteRow row(statement);
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
    if (handler) handler(row);
  }
  const std::int64_t changes = sqlite3_changes64(db_);
  std::optional<Error> failed;
  if (code != SQLITE_DONE) failed = error(code, sql.substr(0, 60));
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (failed) return fail(std::move(*failed));
  return changes;
}

Error SqliteConnection::error(int code, std::string_view what) const {
  const int system_errno = db_ == nullptr ? 0 : sqlite3_system_errno(db_);
  const ErrorCode kind = error_code(code, (code & 0xff) == SQLITE_IOERR ? system_errno : 0);
  std::string detail = db_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db_);
  if (kind == ErrorCode::kExhausted) {
    detail = "no room left for the database (" + detail +
             "): free space on its disk or raise [store] max_size";
  }
  return {kind, "[store] path " + path_ + ": " + std::string(what), std::move(detail)};
}

}  // namespace timepool::store
