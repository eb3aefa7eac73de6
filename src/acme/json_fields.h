// Members of the JSON objects that authorities send: each has the wanted kind or counts as absent.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "acme/message.h"

namespace timepool::acme {

// Nothing when it is too long, no JSON, or no object.
std::optional<boost::json::object> json_object(std::string_view text,
                                               std::size_t longest = kMaxReplyBody);

const boost::json::value* member(const boost::json::object& object, std::string_view key);
// "" when there is no text of that name.
std::string_view text_of(const boost::json::object& object, std::string_view key);
bool flag_of(const boost::json::object& object, std::string_view key);
// Null when there is none of that name.
const boost::json::array* list_of(const boost::json::object& object, std::string_view key);
const boost::json::object* object_of(const boost::json::object& object, std::string_view key);
// Text for a person from a stranger: at most `longest` octets, control characters as '?'.
std::string plain(std::string_view text, std::size_t longest);
// `text` as a JSON string with its quotes.
std::string quoted(std::string_view text);

}  // namespace timepool::acme
