#include "ntp/orphan.h"

#include <algorithm>

namespace timepool::ntp {
namespace {

int common_bits(const IpAddress& a, const IpAddress& b) {
  int out = 0;
  while (out < a.bits() && a.bit(out) == b.bit(out)) ++out;
  return out;
}

}  // namespace

std::optional<wire::ntp::ReferenceId> own_id_towards(const IpAddress& server,
                                                     std::span<const IpAddress> own) {
  const IpAddress wanted = server.unmapped();
  const IpAddress* best = nullptr;
  for (const IpAddress& address : own) {
    if (address.is_v4() != wanted.is_v4() || address.is_loopback() || address.is_unspecified()) {
      continue;
    }
    const bool nearer =
        best == nullptr || common_bits(address, wanted) > common_bits(*best, wanted);
    if (nearer) best = &address;
  }
  if (best == nullptr) return std::nullopt;
  return wire::ntp::ReferenceId::of_address(*best);
}

std::optional<std::size_t> leading_orphan(std::span<const OrphanClaim> claims) {
  const auto least =
      std::min_element(claims.begin(), claims.end(),
                       [](const OrphanClaim& a, const OrphanClaim& b) { return a.id < b.id; });
  if (least == claims.end() || least->id >= least->own) return std::nullopt;
  return least->index;
}

}  // namespace timepool::ntp
