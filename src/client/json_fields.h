// Members of a JSON object that another program sent: each has the wanted kind or counts as absent.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace timepool::client {

// The member, or null.
inline const boost::json::value* member(const boost::json::object& object, std::string_view key) {
  return object.if_contains({key.data(), key.size()});
}

// Empty when there is no text of that name.
inline std::string text_of(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = member(object, key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

inline std::optional<double> number_of(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = member(object, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

inline bool flag_of(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = member(object, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// An empty list when there is none of that name.
inline const boost::json::array& list_of(const boost::json::object& object, std::string_view key) {
  static const boost::json::array kNone;
  const boost::json::value* value = member(object, key);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

inline const boost::json::object& object_of(const boost::json::object& object,
                                            std::string_view key) {
  static const boost::json::object kNone;
  const boost::json::value* value = member(object, key);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

}  // namespace timepool::client
