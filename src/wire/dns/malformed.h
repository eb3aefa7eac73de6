// What can be wrong with a DNS message, a name or a record: one byte, one meaning.
#pragma once

#include <cstdint>
#include <string_view>

namespace timepool::wire::dns {

enum class Malformed : std::uint8_t {
  // The message's frame.
  kShortHeader,       // fewer than 12 bytes
  kTooLong,           // more than 65535 bytes
  kIsResponse,        // QR is set where a query was expected
  kOpcode,            // an opcode other than QUERY where a query was expected
  kQuestionCount,     // not one question (none is allowed with a COOKIE option, RFC 7873 5.4)
  kAnswerInQuery,     // ANCOUNT of a query is not 0
  kAuthorityInQuery,  // NSCOUNT of a query is not 0 (IXFR may have 1, RFC 1995 3)
  kShortQuestion,     // ends within a question
  kShortRecord,       // ends within a record
  kTrailing,          // bytes behind the last record
  kTsigPlace,         // TSIG is not the last record (RFC 8945 5.1)
  // Names in wire form.
  kNameShort,       // ends within a name
  kNamePointer,     // a pointer that is not to earlier bytes behind the header
  kNameCompressed,  // a pointer where none is allowed
  kNameTooLong,     // more than 255 octets
  kLabelType,       // a label type other than 00 and 11
  // Text.
  kLabelTooLong,  // more than 63 octets
  kEmptyLabel,    // two dots in a row, or no text at all
  kEscape,        // a backslash without \X or \DDD up to 255 after it
  kUnknownName,   // no such type or class mnemonic
  // Record data.
  kRdataShort,        // ends within a field
  kRdataLong,         // bytes behind the last field
  kRdataValue,        // a field has a value that it must not have
  kTypeBitmap,        // RFC 4034 4.1.2 broken: order, length or trailing zeros
  kSvcbOrder,         // RFC 9460 2.2: keys are not strictly increasing
  kSvcbValue,         // RFC 9460 2.2: a value without its expected format
  kSvcbInconsistent,  // RFC 9460 2.4.3: a mandatory key, or alpn, is missing
  // EDNS.
  kOptOwner,      // RFC 6891 6.1.2: OPT's owner is not the root
  kOptTwice,      // RFC 6891 6.1.1: more than one OPT
  kOptSection,    // OPT outside the additional section
  kOptionLength,  // an option ends behind OPT's data, or its length is not its type's
  kSubnetFamily,  // RFC 7871 6: unknown address family
  kSubnetPrefix,  // a prefix longer than the address
  kSubnetScope,   // a scope that is not zero in a query
  kSubnetLength,  // not the bytes that the prefix needs
  kSubnetBits,    // address bits set behind the prefix
  kCookieLength,  // RFC 7873 5.2.2: not 8, nor 16 to 40
};

// A metric's label: "short_header", "name_pointer", ...
std::string_view name_of(Malformed malformed);

}  // namespace timepool::wire::dns
