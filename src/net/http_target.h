// The request target of HTTP/1.1 (RFC 9112 3.2): its path's segments and query, percent-decoded.
// A pure function of the text; any bytes may come in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_message.h"

namespace timepool::net {

// Limits on one target; the header limit of the server bounds its length.
inline constexpr std::size_t kMaxPathSegments = 32;
inline constexpr std::size_t kMaxQueryPairs = 64;

enum class BadTarget : unsigned char {
  kForm,       // neither "/path", "http://host/path" nor "*"
  kEscape,     // a % without two hexadecimal digits
  kCharacter,  // a control character, raw or decoded
  kTooMany,    // more segments or query pairs than the limits above
};
std::string_view explain(BadTarget bad);

struct HttpTarget {
  std::string path;                   // as sent, without the query; "*" for OPTIONS *
  std::vector<std::string> segments;  // "/a/b%2Fc" is {"a", "b/c"}; "/" is {""}
  HttpPairs query;                    // "a=1&b" is {{"a","1"},{"b",""}}; + is a space
};

Result<HttpTarget, BadTarget> parse_target(std::string_view target);
// "a=1&b" of a query, or of the body of a form (application/x-www-form-urlencoded).
Result<HttpPairs, BadTarget> parse_pairs(std::string_view text);

// Decodes %XX, and + as a space when `plus_is_space`.
Result<std::string, BadTarget> percent_decode(std::string_view text, bool plus_is_space);
// Encodes all but the unreserved characters (RFC 3986 2.3).
std::string percent_encode(std::string_view text);

}  // namespace timepool::net
