#include "store/migration.h"

#include <array>
#include <charconv>
#include <optional>

#include "base/hex.h"
#include "base/siphash.h"
#include "migrations_files.h"

namespace timepool::store {
namespace {

constexpr std::string_view kTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, "
    "name TEXT NOT NULL, checksum TEXT NOT NULL, applied INTEGER NOT NULL) STRICT";

Error mismatch(ErrorCode code, std::string detail) {
  return {code, "[store] path: check the schema", std::move(detail)};
}

Result<void> check_applied(Tx& tx, std::span<const Migration> all, std::size_t& applied) {
  std::optional<Error> wrong;
  applied = 0;
  const auto compare = [&](const Row& row) {
    const std::string name(row.text(1));
    if (applied >= all.size()) {
      wrong = mismatch(ErrorCode::kInvalid, "migration " + name +
                                                " is not known: this database was made by a newer "
                                                "version of timepool-poold");
    } else if (row.text(2) != all[applied].checksum()) {
      wrong = mismatch(ErrorCode::kCorrupt,
                       "migration " + name + " differs from the one of this version");
    }
    ++applied;
  };
  TRY(tx.run("SELECT number, name, checksum FROM schema_migrations ORDER BY number", {}, compare));
  if (wrong) return fail(std::move(*wrong));
  return {};
}

}  // namespace

std::string Migration::checksum() const {
  constexpr SiphashKey kKey{0x6d69677261746573ULL, 0x73636865636b6564ULL};
  const std::uint64_t hash = siphash24(kKey, std::as_bytes(std::span(sql.data(), sql.size())));
  std::array<std::byte, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(hash >> (56 - 8 * i));
  }
  return to_hex(bytes);
}

std::vector<Migration> migrations() {
  std::vector<Migration> out;
  for (const EmbeddedFile& file : migrations_files()) {
    Migration next;
    next.name = file.name.substr(0, file.name.find('.'));
    next.sql = file.text;
    std::from_chars(next.name.data(), next.name.data() + next.name.size(), next.number);
    CHECK(next.number == static_cast<int>(out.size()) + 1);
    out.push_back(std::move(next));
  }
  return out;
}

Result<int> migrate(Db& db, std::span<const Migration> all, UnixTime now) {
  std::size_t applied = 0;
  const auto check = [&](Tx& tx) -> Result<void> {
    TRY(tx.run(kTable));
    return check_applied(tx, all, applied);
  };
  TRY(db.write(check));
  const std::span<const Migration> missing = all.subspan(applied);
  for (const Migration& migration : missing) {
    const auto apply = [&](Tx& tx) -> Result<void> {
      TRY(tx.script(std::string(migration.sql)));
      TRY(tx.run("INSERT INTO schema_migrations VALUES ($1, $2, $3, $4)",
                 {std::int64_t{migration.number}, migration.name, migration.checksum(), now.ns()}));
      return {};
    };
    TRY(db.write(apply));
  }
  return static_cast<int>(missing.size());
}

}  // namespace timepool::store
