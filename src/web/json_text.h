// JSON text of a value with numbers as people write them: Boost.JSON's own serializer writes 10.5
// as 1.05E1.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace timepool::web {

std::string json_text(const boost::json::value& value);

}  // namespace timepool::web
