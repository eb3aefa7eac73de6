#include "dnssec/rrsig.h"

#include <array>

namespace timepool::dnssec {
namespace {

std::uint32_t seconds_of(Lifetime lifetime, const SignatureTimes& times) {
  return lifetime == Lifetime::kPool ? times.pool_lifetime : times.static_lifetime;
}

}  // namespace

Validity validity_from(std::uint32_t now, Lifetime lifetime, const SignatureTimes& times) {
  return {now - times.inception_before, now + seconds_of(lifetime, times)};
}

bool still_good(std::uint32_t signed_at, std::uint32_t now, Lifetime lifetime,
                const SignatureTimes& times) {
  // A clock that is disciplined may be a little behind what it was; one that jumped is not.
  constexpr std::int32_t kBehind = 60;
  const auto age = static_cast<std::int32_t>(now - signed_at);
  if (age < -kBehind) return false;
  const std::uint64_t life = seconds_of(lifetime, times);
  const std::uint64_t used = age < 0 ? 0 : static_cast<std::uint64_t>(age);
  return used < life && (life - used) * 100 >= life * times.renew_percent;
}

void write_rrsig_head(ByteWriter& out, const RrsigFields& fields, const ZoneKey& key,
                      wire::dns::NameView zone) {
  std::array<std::byte, wire::dns::kMaxName> lower;
  out.u16(static_cast<std::uint16_t>(fields.covered));
  out.u8(static_cast<std::uint8_t>(key.algorithm));
  out.u8(fields.labels);
  out.u32(fields.original_ttl);
  out.u32(fields.validity.expiration);
  out.u32(fields.validity.inception);
  out.u16(key.tag);
  out.bytes(wire::dns::lower_into(zone, lower).wire());
}

}  // namespace timepool::dnssec
