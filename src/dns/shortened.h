// A finished reply cut down to its header, question and OPT: what a limited client gets instead of
// an answer.
#pragma once

#include <cstdint>

#include "base/byte_reader.h"

namespace timepool::dns {

// Where the parts of a reply stand that stay.
struct ReplyParts {
  std::uint16_t length = 0;        // of the whole reply
  std::uint16_t question_end = 0;  // at least the header's 12
  std::uint16_t opt = 0;           // where OPT begins; 0: there is none
};

// With TC, rcode NOERROR and no records (RFC 2181 9): the client asks again by TCP. The new length.
// CHECKs that the parts lie in `reply`.
std::uint16_t shorten_to_truncated(MutableBytes reply, const ReplyParts& parts);
// With rcode BADCOOKIE (RFC 7873 5.2.3), which takes an OPT (CHECKed) and its cookie along.
std::uint16_t shorten_to_bad_cookie(MutableBytes reply, const ReplyParts& parts);

}  // namespace timepool::dns
