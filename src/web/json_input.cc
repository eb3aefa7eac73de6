#include "web/json_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace timepool::web {
namespace {

boost::json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

Result<boost::json::object> parse_object(std::string_view body) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::stream_parser parser({}, options);
  boost::json::error_code code;
  const std::size_t read = parser.write_some(body.data(), body.size(), code);
  if (!code && read < body.size()) code = boost::json::error::extra_data;
  if (!code) parser.finish(code);
  if (code) {
    return fail(Error{ErrorCode::kInvalid, "body",
                      fmt::format("not JSON at byte {}: {}", read, code.message())});
  }
  boost::json::value value = parser.release();
  if (!value.is_object()) {
    return fail(Error{ErrorCode::kInvalid, "body", "expected a JSON object"});
  }
  return std::move(value.get_object());
}

Result<void> only_fields(const boost::json::object& object,
                         std::initializer_list<std::string_view> names) {
  for (const auto& field : object) {
    const std::string_view key(field.key().data(), field.key().size());
    if (std::find(names.begin(), names.end(), key) == names.end()) {
      return fail(Error{ErrorCode::kInvalid, std::string(key.substr(0, 64)), "no such field"});
    }
  }
  return {};
}

Error Fields::error(std::string_view name, std::string why) const {
  return {ErrorCode::kInvalid, prefix_ + std::string(name), std::move(why)};
}

const boost::json::value* Fields::find(std::string_view name) const {
  const boost::json::value* value = object_.if_contains(view(name));
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::optional<std::string>> Fields::text(std::string_view name, std::size_t max) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return fail(error(name, "expected a text"));
  const auto& text = value->get_string();
  if (text.size() > max) return fail(error(name, fmt::format("expected at most {} bytes", max)));
  return std::optional<std::string>(std::string(text.data(), text.size()));
}

Result<std::optional<std::int64_t>> Fields::integer(std::string_view name, std::int64_t min,
                                                    std::int64_t max) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::optional<std::int64_t>();
  // What does not fit 64 signed bits is a uint64 or a double to the parser.
  if (!value->is_int64() || value->get_int64() < min || value->get_int64() > max) {
    return fail(error(name, fmt::format("expected an integer, {} to {}", min, max)));
  }
  return std::optional<std::int64_t>(value->get_int64());
}

Result<std::optional<double>> Fields::number(std::string_view name, double min, double max) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::optional<double>();
  double out = std::nan("");
  if (value->is_double()) out = value->get_double();
  if (value->is_int64()) out = static_cast<double>(value->get_int64());
  if (value->is_uint64()) out = static_cast<double>(value->get_uint64());
  if (!(out >= min && out <= max)) {
    return fail(error(name, fmt::format("expected a number, {} to {}", min, max)));
  }
  return std::optional<double>(out);
}

Result<std::optional<bool>> Fields::boolean(std::string_view name) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is_bool()) return fail(error(name, "expected true or false"));
  return std::optional<bool>(value->get_bool());
}

Result<const boost::json::array*> Fields::array(std::string_view name, std::size_t max) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return static_cast<const boost::json::array*>(nullptr);
  if (!value->is_array()) return fail(error(name, "expected an array"));
  if (value->get_array().size() > max) {
    return fail(error(name, fmt::format("expected at most {} items", max)));
  }
  return &value->get_array();
}

Result<const boost::json::object*> Fields::object(std::string_view name) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return static_cast<const boost::json::object*>(nullptr);
  if (!value->is_object()) return fail(error(name, "expected an object"));
  return &value->get_object();
}

}  // namespace timepool::web
