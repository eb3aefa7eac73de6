// Text that others sent, for JSON, which has to be UTF-8 (RFC 8259 8.1).
#pragma once

#include <string>
#include <string_view>

namespace timepool {

// `text` with a ? for each byte that is not part of a UTF-8 character (RFC 3629 3), also where a
// character was cut in two.
std::string as_utf8(std::string_view text);

}  // namespace timepool
