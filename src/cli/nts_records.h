// Records of NTS key establishment as people and programs read them.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"

namespace timepool::cli {

// `text` with everything but printable ASCII as \xNN: what a server says may go to a terminal.
std::string printable(std::string_view text);
// A line for each record of a message ("AEAD Algorithm Negotiation: AES-SIV-CMAC-256"), equal ones
// behind each other as one; a last line for what is no whole record. What the octets are is not
// judged, and text in them is made printable.
std::vector<std::string> record_lines(Bytes message);
// [{"type", "name", "critical", "octets", "value"}]
boost::json::array record_json(Bytes message);

}  // namespace timepool::cli
