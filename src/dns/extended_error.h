// Codes of extended errors (RFC 8914 4, and the IANA registry that it made) that are answered here.
#pragma once

#include <cstdint>

namespace timepool::dns {

enum class ExtendedCode : std::uint16_t {
  kNotReady = 14,          // 4.15: a zone that is to be signed, and is not yet
  kProhibited = 18,        // 4.19: a transfer, a class or a name that is not for this client
  kNotAuthoritative = 20,  // 4.21: no zone of ours holds the name
  kNotSupported = 21,      // 4.22: the type of query is not known here
  kInvalidQueryType = 30,  // RFC 9824 3.5: NXNAME is no type to ask for
};

}  // namespace timepool::dns
