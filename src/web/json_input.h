// Reading the JSON of requests: every field is checked for type and range, and an error names the
// field. Nesting and size are bounded before anything is looked at.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace timepool::web {

// Deepest nesting of a request: {"results":[{"samples":[{...}]}]} has five levels.
inline constexpr std::size_t kMaxDepth = 8;

// The one object that `body` is. Errors: kInvalid with the place.
Result<boost::json::object> parse_object(std::string_view body);

// Fails when the object has a field that is none of `names`.
Result<void> only_fields(const boost::json::object& object,
                         std::initializer_list<std::string_view> names);

// A field that is absent or null is none; one of another type or out of range is kInvalid, with
// `prefix` and the name in front ("samples[1].rtt_s").
class Fields {
 public:
  explicit Fields(const boost::json::object& object, std::string prefix = "")
      : object_(object), prefix_(std::move(prefix)) {}

  Result<std::optional<std::string>> text(std::string_view name, std::size_t max) const;
  Result<std::optional<std::int64_t>> integer(std::string_view name, std::int64_t min,
                                              std::int64_t max) const;
  Result<std::optional<double>> number(std::string_view name, double min, double max) const;
  Result<std::optional<bool>> boolean(std::string_view name) const;
  // Null when it is absent; the same for objects inside.
  Result<const boost::json::array*> array(std::string_view name, std::size_t max) const;
  Result<const boost::json::object*> object(std::string_view name) const;

  Error error(std::string_view name, std::string why) const;

 private:
  const boost::json::value* find(std::string_view name) const;

  const boost::json::object& object_;
  std::string prefix_;
};

// The value of a field that must be there.
template <class T>
Result<T> required(const Fields& fields, std::string_view name, Result<std::optional<T>> field) {
  std::optional<T> value = TRY(std::move(field));
  if (!value) return fail(fields.error(name, "is missing"));
  return std::move(*value);
}

}  // namespace timepool::web
