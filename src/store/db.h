// The database behind everything that poold keeps: SQLite now, with an interface that PostgreSQL
// can implement. One SQL text serves both: parameters are $1, $2, ...
//
// Writes run one after the other on one writer thread; those that wait together share a transaction
// and its fsync, each in a savepoint of its own, so that one that fails takes no other with it.
// A write that returned without an error is durable. Reads run on the caller's thread, each in a
// snapshot, beside the writer. All methods of Db may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace timepool::store {

struct Blob {
  std::string bytes;
};
// null, integer, real, text, blob. bool converts to an integer by the constructor's overloads.
using Param = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

// The current row of a query; valid inside the handler only. Columns count from 0.
class Row {
 public:
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  // Text or blob; points into the row.
  virtual std::string_view text(int column) const = 0;

 protected:
  ~Row() = default;
};
using RowHandler = std::function<void(const Row&)>;

// An open transaction.
class Tx {
 public:
  // Runs one statement. The result is how many rows it changed. Errors: kExists (a constraint),
  // kExhausted (disk full), kUnavailable (locked for too long), kCorrupt, kSystem.
  Result<std::int64_t> run(std::string_view sql, std::initializer_list<Param> params = {},
                           const RowHandler& handler = {}) {
    return run_statement(sql, params.begin(), params.size(), handler);
  }
  // Several statements without parameters, of a migration.
  virtual Result<void> script(const std::string& sql) = 0;

 protected:
  ~Tx() = default;
  virtual Result<std::int64_t> run_statement(std::string_view sql, const Param* params,
                                             std::size_t count, const RowHandler& handler) = 0;
};

// What runs in a transaction; an error rolls it back. Run once, or once more when the transaction
// that it shared was rolled back because of another one.
using Job = std::function<Result<void>(Tx&)>;

class Db {
 public:
  virtual ~Db() = default;
  // Returns when the job's changes are durable, or with what failed; then nothing was changed.
  virtual Result<void> write(const Job& job) = 0;
  virtual Result<void> read(const Job& job) = 0;
  // Transactions committed so far, for metrics: fewer than writes, since writes share them.
  virtual std::uint64_t commits() const = 0;
};

struct SqliteOptions {
  std::string path;
  // true: fsync at every commit, so that neither a killed process nor a power cut loses an
  // acknowledged write. false: a power cut may lose the last ones; a killed process never does.
  bool sync_every_commit = true;
  std::uint64_t max_bytes = 0;  // largest size of the database file; 0 is no limit
  int readers = 4;              // read transactions at the same time
};

// Opens or makes the database. One process at a time: kUnavailable when another one has it open.
Result<std::unique_ptr<Db>> open_sqlite(const SqliteOptions& options);

}  // namespace timepool::store
