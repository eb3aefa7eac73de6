// A database in a directory of its own that goes when the test ends. For tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "store/db.h"
#include "store/migration.h"

namespace timepool::store {

class TemporaryStore {
 public:
  TemporaryStore() {
    std::string pattern = (std::filesystem::temp_directory_path() / "timepool-XXXXXX").string();
    CHECK(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    options.path = folder_ + "/pool.db";
  }
  ~TemporaryStore() {
    db.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
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
  const std::string& folder() const { return folder_; }

  SqliteOptions options;
  std::unique_ptr<Db> db;

 private:
  std::string folder_;
};

}  // namespace timepool::store
