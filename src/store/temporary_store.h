// A database in a directory of its own that goes when the test ends. For tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "store/db.h"
#include "store/migration.h"
#include "sys/temporary_directory.h"

namespace timepool::store {

class TemporaryStore {
 public:
  TemporaryStore() { options.path = folder() + "/pool.db"; }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  // Opens it, closing it first when it is open, and brings it to the program's schema.
  void open() {
    db.reset();
    auto opened = open_sqlite(options);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    db = std::move(*opened);
    const auto done = migrate(*db, migrations(), UnixTime::from_seconds(1));
    ASSERT_TRUE(done.ok()) << done.error().text();
  }
  const std::string& folder() const { return folder_.path(); }

 private:
  sys::TemporaryDirectory folder_;  // outlives the database

 public:
  SqliteOptions options;
  std::unique_ptr<Db> db;
};

}  // namespace timepool::store
