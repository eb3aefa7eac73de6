// Value: what a TOML file holds, with the place of each key and value, so that only one file of the
// project includes the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace timepool::config {

// One fault in a configuration. line 0: it has no single place.
struct Problem {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
  std::string text;
};
// "ntpd.toml:3:1: text", "ntpd.toml: text"
std::string format(const Problem& problem);
// One a line, without a last line feed.
std::string format(const std::vector<Problem>& problems);

struct Member;

struct Value {
  enum class Kind : unsigned char { kString, kInteger, kFloat, kBoolean, kTime, kArray, kTable };

  Kind kind = Kind::kString;
  unsigned line = 0;
  unsigned column = 0;
  std::string text;             // kString
  std::int64_t integer = 0;     // kInteger
  double number = 0;            // kFloat
  bool boolean = false;         // kBoolean
  std::vector<Value> items;     // kArray
  std::vector<Member> members;  // kTable, by the place in the file

  bool is_table_array() const;
};

struct Member {
  std::string key;
  unsigned line = 0;
  unsigned column = 0;
  Value value;
};

// "a string", "an integer", ...
std::string_view name_of(Value::Kind kind);

// The table that `text` holds; on a fault adds one problem and returns an empty table.
Value read_toml(std::string_view text, const std::string& file, std::vector<Problem>& problems);

// `text` as a TOML basic string with its quotes.
std::string quoted(std::string_view text);
// A key as TOML wants it: bare when it can be.
std::string quoted_key(std::string_view key);

}  // namespace timepool::config
