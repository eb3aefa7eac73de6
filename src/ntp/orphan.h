// Orphans: the servers of an island that nobody gives the true time to agree on one of them, whose
// clock they all follow (as chrony's `local ... orphan` and ntpd's `tos orphan`, which work
// together with it). Each polls all the others and has the same orphan stratum.
//
// A server of the orphan stratum serves its own clock only, and one above it follows such a one. So
// neither is used while any source of a lower stratum is. When there is none, the one of the orphan
// stratum leads whose address is the smallest as a reference id, unless our own is smaller: then we
// follow nobody, and by ntp/local_reference.h become an orphan ourselves.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/ip.h"
#include "ntp/candidate.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntp {

// What a server is called when it is followed, and we when this server follows us: that of our
// address of its family that has the longest prefix in common with its own. Empty when we have
// none.
std::optional<wire::ntp::ReferenceId> own_id_towards(const IpAddress& server,
                                                     std::span<const IpAddress> own);

// One server with its address; the others have none and are no orphans.
struct OrphanClaim {
  std::size_t index = 0;  // in the candidates
  std::uint32_t id = 0;   // its reference id
  std::uint32_t own = 0;  // ours towards it
};

// The index of the orphan to follow, among those who could be used otherwise; empty: none.
std::optional<std::size_t> leading_orphan(std::span<const OrphanClaim> claims);

}  // namespace timepool::ntp
