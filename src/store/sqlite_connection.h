// One connection to an SQLite database with its prepared statements. One thread at a time.
#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "store/db.h"

namespace timepool::store {

class SqliteConnection final : public Tx {
 public:
  enum class Use : unsigned char { kWrite, kRead };
  static Result<std::unique_ptr<SqliteConnection>> open(const SqliteOptions& options, Use use);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Result<void> script(const std::string& sql) override;
  // False when SQLite rolled the transaction back by itself, as it does when the disk is full.
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

 protected:
  Result<std::int64_t> run_statement(std::string_view sql, const Param* params, std::size_t count,
                                     const RowHandler& handler) override;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalizer>;
  // The program has some dozens of statements; a cache that would grow past this is emptied.
  static constexpr std::size_t kMaxStatements = 256;

  SqliteConnection(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  Result<sqlite3_stmt*> prepared(std::string_view sql);
  Error error(int code, std::string_view what) const;

  sqlite3* db_;
  std::string path_;
  std::map<std::string, Statement, std::less<>> statements_;
};

}  // namespace timepool::store
