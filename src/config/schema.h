// Schema<T>: the one table of a program's settings. From it come the parser, the defaults (those of
// a default-constructed T), the checks with file:line:column, the printed effective configuration
// and the reference page. Values live until load() returns; a schema is immutable once built.
//
//   Schema<ServerConfig> server;
//   server.field("threads", &ServerConfig::threads, integer(0, 64), "Worker threads; 0: none.");
//   Schema<NtpdConfig> root;
//   root.table("server", &NtpdConfig::server, server, "Serves time.");
//   auto config = load(root, "/etc/timepool/ntpd.toml");   // Result<NtpdConfig, vector<Problem>>
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/codec.h"
#include "config/table.h"

namespace timepool::config {

template <class T>
class Schema {
 public:
  Schema() {
    table_->make_default([] { return std::shared_ptr<void>(std::make_shared<T>()); });
  }

  template <class M>
  Schema& field(std::string key, M T::* member, const Codec<M>& codec, std::string doc) {
    table_->add(value_field(std::move(key), member, codec, std::move(doc)));
    return *this;
  }
  // A key that must be given.
  template <class M>
  Schema& required(std::string key, M T::* member, const Codec<M>& codec, std::string doc) {
    Field field = value_field(std::move(key), member, codec, std::move(doc));
    field.required = true;
    table_->add(std::move(field));
    return *this;
  }
  // [key], always there.
  template <class S>
  Schema& table(std::string key, S T::* member, const Schema<S>& schema, std::string doc) {
    Field field = table_field(std::move(key), schema.table_ptr(), std::move(doc));
    field.enter = [member](void* object) -> void* { return &(static_cast<T*>(object)->*member); };
    field.view = [member](const void* object) -> const void* {
      return &(static_cast<const T*>(object)->*member);
    };
    table_->add(std::move(field));
    return *this;
  }
  // [key], there only when a file has it.
  template <class S>
  Schema& table(std::string key, std::optional<S> T::* member, const Schema<S>& schema,
                std::string doc) {
    Field field = table_field(std::move(key), schema.table_ptr(), std::move(doc));
    field.enter = [member](void* object) -> void* {
      std::optional<S>& inside = static_cast<T*>(object)->*member;
      if (!inside) inside.emplace();
      return &*inside;
    };
    field.view = [member](const void* object) -> const void* {
      const std::optional<S>& inside = static_cast<const T*>(object)->*member;
      return inside ? &*inside : nullptr;
    };
    table_->add(std::move(field));
    return *this;
  }
  // [[key]]: every file adds to it. `alias_of` names the place that it is another writing of; then
  // it is read but never printed. One key may be both a table and tables.
  template <class S>
  Schema& tables(std::string key, std::vector<S> T::* member, const Schema<S>& schema,
                 std::string doc, std::size_t max = kMaxListItems) {
    table_->add(tables_field(
        std::move(key), [member](T& object) -> std::vector<S>& { return object.*member; },
        schema.table_ptr(), std::move(doc), max));
    return *this;
  }
  template <class S, class Inner>
  Schema& alias_tables(std::string key, Inner T::* outer, std::vector<S> Inner::* member,
                       const Schema<S>& schema, std::string alias_of, std::string doc,
                       std::size_t max = kMaxListItems) {
    Field field = tables_field(
        std::move(key),
        [outer, member](T& object) -> std::vector<S>& { return object.*outer.*member; },
        schema.table_ptr(), std::move(doc), max);
    field.alias_of = std::move(alias_of);
    table_->add(std::move(field));
    return *this;
  }
  // What must hold between settings; `check(const T&)` gives what is wrong, or an empty string.
  template <class Check>
  Schema& check(Check check) {
    table_->add_check([check](const void* object) -> std::string {
      return check(*static_cast<const T*>(object));
    });
    return *this;
  }

  const std::shared_ptr<Table>& table_ptr() const { return table_; }

 private:
  template <class M>
  static Field value_field(std::string key, M T::* member, const Codec<M>& codec, std::string doc) {
    Field field;
    field.key = std::move(key);
    field.doc = std::move(doc);
    field.type = codec.type;
    field.read = [member, read = codec.read](void* object, const Value& value) {
      return read(value, static_cast<T*>(object)->*member);
    };
    field.write = [member, write = codec.write](const void* object) {
      return write(static_cast<const T*>(object)->*member);
    };
    return field;
  }
  static Field table_field(std::string key, std::shared_ptr<const Table> nested, std::string doc) {
    Field field;
    field.key = std::move(key);
    field.shape = Field::Shape::kTable;
    field.doc = std::move(doc);
    field.nested = std::move(nested);
    return field;
  }
  template <class Items>
  static Field tables_field(std::string key, Items items, std::shared_ptr<const Table> nested,
                            std::string doc, std::size_t max) {
    Field field = table_field(std::move(key), std::move(nested), std::move(doc));
    field.shape = Field::Shape::kTables;
    field.max = max;
    field.append = [items](void* object) -> void* {
      return &items(*static_cast<T*>(object)).emplace_back();
    };
    // Reading through the same accessor: it does not change the object.
    field.count = [items](const void* object) {
      return items(*const_cast<T*>(static_cast<const T*>(object))).size();
    };
    field.at = [items](const void* object, std::size_t index) -> const void* {
      return &items(*const_cast<T*>(static_cast<const T*>(object)))[index];
    };
    return field;
  }

  std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

// One file's name and text.
struct Source {
  std::string name;
  std::string text;
};

// The file at `path`, say X.toml, then `X.d/*.toml` beside it in the order of their names. A file
// that can't be read is a problem. Bounded by kMaxConfigFiles files of kMaxConfigFileBytes.
std::vector<Source> read_sources(const std::string& path, std::vector<Problem>& problems);
inline constexpr std::size_t kMaxConfigFiles = 256;
inline constexpr std::size_t kMaxConfigFileBytes = 4 << 20;

// Reads `sources` one after the other into `object`: values replace, arrays of tables append.
void read_into(const Table& table, const std::vector<Source>& sources, void* object,
               std::vector<Problem>& problems);

// The configuration that `sources` make up, or all that is wrong with them.
template <class T>
Result<T, std::vector<Problem>> parse(const Schema<T>& schema, const std::vector<Source>& sources) {
  T out{};
  std::vector<Problem> problems;
  read_into(*schema.table_ptr(), sources, &out, problems);
  if (!problems.empty()) return fail(std::move(problems));
  return out;
}

template <class T>
Result<T, std::vector<Problem>> load(const Schema<T>& schema, const std::string& path) {
  std::vector<Problem> problems;
  const std::vector<Source> sources = read_sources(path, problems);
  if (!problems.empty()) return fail(std::move(problems));
  return parse(schema, sources);
}

// The effective configuration as TOML that parses to the same.
template <class T>
std::string print_config(const Schema<T>& schema, const T& config) {
  std::string out;
  schema.table_ptr()->print("", &config, out);
  return out;
}

// The settings in AsciiDoc, for the manual page.
template <class T>
std::string reference(const Schema<T>& schema) {
  std::string out;
  schema.table_ptr()->reference("", out);
  return out;
}

}  // namespace timepool::config
