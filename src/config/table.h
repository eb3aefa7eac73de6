// Table: the fields of one table of a configuration without the type of the object that they fill.
// Schema<T> (schema.h) is its typed front; everything that needs no type is here.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/value.h"

namespace timepool::config {

class Table;

struct Field {
  enum class Shape : unsigned char { kValue, kTable, kTables };

  std::string key;
  Shape shape = Shape::kValue;
  std::string type;  // kValue: what may stand there
  std::string doc;
  bool required = false;
  // Another way to write a kTables field that stands elsewhere: read, never printed.
  std::string alias_of;
  std::shared_ptr<const Table> nested;  // kTable, kTables
  std::size_t max = 0;                  // kTables

  // kValue
  std::function<std::string(void* object, const Value& value)> read;
  std::function<std::string(const void* object)> write;  // empty: nothing to write
  // kTable: the object inside, made if it is optional and absent; nullptr when view finds none.
  std::function<void*(void* object)> enter;
  std::function<const void*(const void* object)> view;
  // kTables
  std::function<void*(void* object)> append;
  std::function<std::size_t(const void* object)> count;
  std::function<const void*(const void* object, std::size_t index)> at;
};

// What reading collects over the files of one configuration.
struct Reading {
  std::string file;
  std::vector<Problem> problems;
  std::set<std::string> seen;  // "server.listen": keys given, outside arrays of tables
};

class Table {
 public:
  void add(Field field) { fields_.push_back(std::move(field)); }
  // `check` says what is wrong with the object as a whole; empty when nothing is.
  void add_check(std::function<std::string(const void* object)> check) {
    checks_.push_back(std::move(check));
  }
  void make_default(std::function<std::shared_ptr<void>()> make) { make_ = std::move(make); }
  const std::vector<Field>& fields() const { return fields_; }

  // Reads the members of `table`, which stands at `place` ("" or "server.local"), into `object`.
  void read(const Value& table, const std::string& place, void* object, Reading& reading) const;
  // After the last file: missing keys and the checks, of this table and those inside it.
  void finish(const std::string& place, const void* object, Reading& reading) const;
  // The object as TOML.
  void print(const std::string& place, const void* object, std::string& out) const;
  // The fields in AsciiDoc.
  void reference(const std::string& place, std::string& out) const;

 private:
  const Field* find(const Member& member) const;
  std::string unknown(const std::string& key, const std::string& place) const;
  void read_field(const Field& field, const Member& member, const std::string& place, void* object,
                  Reading& reading) const;
  void read_item(const Field& field, const Value& item, const std::string& place, void* object,
                 Reading& reading) const;

  std::vector<Field> fields_;
  std::vector<std::function<std::string(const void*)>> checks_;
  std::function<std::shared_ptr<void>()> make_;
};

// The name among `names` that `word` was probably meant to be, or empty.
std::string nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace timepool::config
