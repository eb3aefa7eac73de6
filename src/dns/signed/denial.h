// Compact denial of existence (RFC 9824): the data of the one NSEC record that says of a name that
// it has certain types and no others, or that it does not exist, and nothing of any other name.
#pragma once

#include <span>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::dns {

// The types of a name that does not exist (RFC 9824 3.1).
std::span<const wire::dns::RrType> types_of_no_name();

// The name that follows `name` in canonical order with no other in between that could exist in
// `zone` (RFC 4471 3.1.2): \000 in front, where there is room. Names are in lower case.
wire::dns::DnsName successor(wire::dns::NameView name, wire::dns::NameView zone);

// At most this many octets, when no type is above 65535.
inline constexpr std::size_t kMaxNsec = wire::dns::kMaxName + 256 * 34;
// NSEC's data for `name`; `types` in rising order with RRSIG and NSEC among them.
void write_nsec(ByteWriter& out, wire::dns::NameView name, wire::dns::NameView zone,
                std::span<const wire::dns::RrType> types);

}  // namespace timepool::dns
