// Migrations: numbered .sql files of the program, applied in order, each once and in one
// transaction, forward only. What was applied stands in schema_migrations with a checksum, so that
// a database made by another version is found out before it is used.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/db.h"

namespace timepool::store {

struct Migration {
  int number = 0;
  std::string name;
  std::string_view sql;

  std::string checksum() const;
};

// Those of the program: migrations/NNNN_name.sql, by number from 1 without a gap.
std::vector<Migration> migrations();

// Applies what is missing; the result is how many that were. Errors: kCorrupt when an applied one
// differs from the program's, kInvalid when the database is newer than the program.
Result<int> migrate(Db& db, std::span<const Migration> all, UnixTime now);

}  // namespace timepool::store
