#include "web/json_text.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "pool/zone.h"

namespace timepool::web {
namespace {

void write_text(std::string& out, const char* data, std::size_t size) {
  out += '"';
  out += pool::json_escaped({data, size});
  out += '"';
}

void write(std::string& out, const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      out += "null";
      break;
    case boost::json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case boost::json::kind::int64:
      out += std::to_string(value.get_int64());
      break;
    case boost::json::kind::uint64:
      out += std::to_string(value.get_uint64());
      break;
    case boost::json::kind::double_:
      // RFC 8259 6: there is no infinity and no NaN.
      out += std::isfinite(value.get_double()) ? fmt::format("{}", value.get_double()) : "null";
      break;
    case boost::json::kind::string:
      write_text(out, value.get_string().data(), value.get_string().size());
      break;
    case boost::json::kind::array:
      out += '[';
      for (const boost::json::value& item : value.get_array()) {
        if (out.back() != '[') out += ',';
        write(out, item);
      }
      out += ']';
      break;
    case boost::json::kind::object:
      out += '{';
      for (const auto& field : value.get_object()) {
        if (out.back() != '{') out += ',';
        write_text(out, field.key().data(), field.key().size());
        out += ':';
        write(out, field.value());
      }
      out += '}';
      break;
  }
}

}  // namespace

std::string json_text(const boost::json::value& value) {
  std::string out;
  write(out, value);
  return out;
}

}  // namespace timepool::web
