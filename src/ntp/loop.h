// Loops: a server that is this machine, or that follows it. Following it would be following our own
// clock.
#pragma once

#include <vector>

#include "base/ip.h"
#include "ntp/candidate.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntp {

// Who we are, as far as others can see it.
struct OwnIdentity {
  // Of every interface, and those that others know us by behind a translation of addresses.
  std::vector<IpAddress> addresses;
  // Where we serve time. An unspecified address stands for all of ours.
  std::vector<Endpoint> serves;

  bool operator==(const OwnIdentity&) const = default;
};

// We serve at this endpoint.
bool is_ourselves(const Endpoint& server, const OwnIdentity& own);
// `serves` with each of our addresses in the place of an unspecified one.
std::vector<Endpoint> own_endpoints(const OwnIdentity& own);
// RFC 5905 A.5.5.3 (the loop test of accept and fit): its reference id is that of one of our
// addresses. Loopback addresses say nothing: each machine has them.
bool follows_us(std::uint8_t stratum, wire::ntp::ReferenceId reference, const OwnIdentity& own);

}  // namespace timepool::ntp
