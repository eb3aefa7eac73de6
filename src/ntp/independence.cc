#include "ntp/independence.h"

#include <algorithm>

namespace timepool::ntp {
namespace {

using wire::ntp::ReferenceId;

// The network that one operator most often has whole.
constexpr int kNetworkBitsV4 = 24;
constexpr int kNetworkBitsV6 = 48;

bool same_network(const IpAddress& a, const IpAddress& b) {
  if (a.family() != b.family()) return false;
  return Prefix(a, a.is_v4() ? kNetworkBitsV4 : kNetworkBitsV6).contains(b);
}

// The same reference, set at the same moment to 233 ps: it is the same clock that tells of it, or
// a copy of its answers. Stratum 1 servers set their clocks at moments of their own.
bool same_host(const ServerIdentity& a, const ServerIdentity& b) {
  return a.answered && b.answered && !a.reference_time.is_zero() &&
         a.reference_time == b.reference_time && a.reference_id == b.reference_id &&
         a.stratum == b.stratum;
}

// At stratum 1 the id names a kind of clock, not a clock; zero and 127.x.x.x say nothing.
bool names_a_server(const ServerIdentity& it) {
  return it.answered && it.stratum > 1 && it.reference_id.bits() != 0 &&
         it.reference_id.bits() >> 24 != 127;
}

bool follows(const ServerIdentity& a, const ServerIdentity& b) {
  return names_a_server(a) && a.reference_id == ReferenceId::of_address(b.address.unmapped());
}

}  // namespace

std::string_view name_of(Dependence dependence) {
  constexpr std::string_view kNames[] = {"none",         "same_upstream", "follows",
                                         "same_network", "same_host",     "same_address"};
  return kNames[static_cast<std::size_t>(dependence)];
}

Dependence dependence(const IpAddress& address, const ServerIdentity& b) {
  const IpAddress one = address.unmapped();
  const IpAddress other = b.address.unmapped();
  if (one == other) return Dependence::kSameAddress;
  if (same_network(one, other)) return Dependence::kSameNetwork;
  // What is in use may follow the one that is thought of.
  return follows(b, {one, false, 0, {}, {}}) ? Dependence::kFollows : Dependence::kNone;
}

Dependence dependence(const ServerIdentity& a, const ServerIdentity& b) {
  const Dependence by_address = dependence(a.address, b);
  if (by_address == Dependence::kSameAddress) return by_address;
  if (same_host(a, b)) return Dependence::kSameHost;
  if (by_address != Dependence::kNone) return by_address;
  if (follows(a, b)) return Dependence::kFollows;
  const bool same_upstream =
      names_a_server(a) && names_a_server(b) && a.reference_id == b.reference_id;
  return same_upstream ? Dependence::kSameUpstream : Dependence::kNone;
}

Dependence worst_dependence(const IpAddress& address, std::span<const ServerIdentity> in_use) {
  Dependence worst = Dependence::kNone;
  for (const ServerIdentity& it : in_use) worst = std::max(worst, dependence(address, it));
  return worst;
}

std::optional<std::size_t> most_independent(std::span<const IpAddress> choices,
                                            std::span<const ServerIdentity> in_use) {
  std::optional<std::size_t> best;
  Dependence least = Dependence::kSameAddress;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const Dependence worst = worst_dependence(choices[i], in_use);
    if (worst >= least) continue;
    least = worst;
    best = i;
  }
  return best;
}

std::optional<Redundant> most_redundant(std::span<const DiverseMember> members) {
  std::optional<Redundant> out;
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (std::size_t j = i + 1; j < members.size(); ++j) {
      const Dependence found = dependence(members[i].server, members[j].server);
      if (found == Dependence::kNone || (out && found <= out->dependence)) continue;
      if (!members[j].keep) {
        out = {j, i, found};
      } else if (!members[i].keep) {
        out = {i, j, found};
      }
    }
  }
  return out;
}

}  // namespace timepool::ntp
