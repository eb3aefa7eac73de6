// A zone as plain records, for transfers (transfer.h).
#pragma once

#include <cstdint>
#include <vector>

#include "dns/transfer/transfer.h"
#include "dns/zone/zone.h"

namespace timepool::dns {

// What an SOA's data ends with: serial, refresh, retry, expire and minimum.
inline constexpr std::size_t kSoaNumbers = 20;
// Of an SOA's whole data. CHECKs that it is as long as one is.
void set_soa_serial(std::vector<std::byte>& rdata, std::uint32_t serial);
// Of an SOA's whole data: it expires after `longest` seconds at the latest, and is refreshed often
// enough for that. CHECKs as set_soa_serial() does.
void bound_soa_expire(std::vector<std::byte>& rdata, std::uint32_t longest);
// What an SOA says whose times are nobody's concern.
inline constexpr std::uint32_t kAnyExpire = 0xffff'ffff;
// The zone as it is at another serial, with an SOA bounded so.
Zone with_serial(const Zone& zone, std::uint32_t serial, std::uint32_t longest_expire);
// Seconds, as the zone's SOA says.
std::uint32_t soa_expire(const Zone& zone);

// The SOA that the zone is answered with.
TransferRecord exported_soa(const Zone& zone);
// All other records, each name's as transfer.h says. Labels of address targets are no names, and
// have none; an alias is followed.
std::vector<TransferRecord> exported_records(const Zone& zone);

}  // namespace timepool::dns
