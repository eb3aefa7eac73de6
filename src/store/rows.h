// Small conversions between rows, parameters and the values of the program.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "store/db.h"

namespace timepool::store {

inline std::optional<double> optional_real(const Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.real(column);
}
inline std::optional<std::int64_t> optional_integer(const Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.integer(column);
}
inline std::optional<UnixTime> optional_time(const Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return UnixTime::from_ns(row.integer(column));
}
inline std::string string_at(const Row& row, int column) {
  return std::string(row.text(column));
}

inline Param param(const std::optional<double>& value) {
  return value ? Param(*value) : Param(std::monostate{});
}
inline Param param(const std::optional<std::int64_t>& value) {
  return value ? Param(*value) : Param(std::monostate{});
}
inline Param param(const std::optional<UnixTime>& value) {
  return value ? Param(value->ns()) : Param(std::monostate{});
}
inline Param param(bool value) {
  return Param(std::int64_t{value ? 1 : 0});
}

}  // namespace timepool::store
