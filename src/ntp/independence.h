// Independence: whether two servers can be wrong together (RFC 8633 3.2: B3), and the rule of
// diversity that follows: never two addresses of one host, of one network, or behind one reference,
// unless nothing else is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/ip.h"
#include "base/time.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntp {

// What is known about a server. Before its first answer only the address is.
struct ServerIdentity {
  IpAddress address;
  bool answered = false;
  std::uint8_t stratum = 0;
  wire::ntp::ReferenceId reference_id;
  NtpTimestamp reference_time;  // when its clock was last set; zero: it does not say
};

// How two servers depend on each other; the later ones are worse.
enum class Dependence : std::uint8_t {
  kNone,
  kSameUpstream,  // both follow the same server
  kFollows,       // one follows the other
  kSameNetwork,   // the same /24 or /48
  kSameHost,      // two addresses of one machine
  kSameAddress,
};
// "none", "same_upstream", ...
std::string_view name_of(Dependence dependence);

Dependence dependence(const ServerIdentity& a, const ServerIdentity& b);
// Of what is known before it answers: only the address counts.
Dependence dependence(const IpAddress& address, const ServerIdentity& b);
// The worst towards any of them.
Dependence worst_dependence(const IpAddress& address, std::span<const ServerIdentity> in_use);

// Which address to use next beside those in use: the first of those that depend least; nothing when
// each is one of those in use.
std::optional<std::size_t> most_independent(std::span<const IpAddress> choices,
                                            std::span<const ServerIdentity> in_use);

// Which one to give up first for the sake of diversity: of the pair that depends most, the later
// one; nothing when all are independent. Members with `keep` are never given up.
struct DiverseMember {
  ServerIdentity server;
  bool keep = false;  // given by the operator as an address, or the selected one
};
struct Redundant {
  std::size_t index = 0;
  std::size_t other = 0;  // the one that it depends on
  Dependence dependence = Dependence::kNone;
};
std::optional<Redundant> most_redundant(std::span<const DiverseMember> members);

}  // namespace timepool::ntp
