// RRSIG records (RFC 4034 3): their data, and the signature over it and the set that it covers.
#pragma once

#include <cstdint>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "dnssec/zone_keys.h"
#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::dnssec {

// Unix seconds modulo 2^32 (RFC 4034 3.1.5: serial numbers).
struct Validity {
  std::uint32_t inception = 0;
  std::uint32_t expiration = 0;
  bool operator==(const Validity&) const = default;
};

// Of sets that are drawn by weight, and of all others.
enum class Lifetime : std::uint8_t { kPool, kStatic };
Validity validity_from(std::uint32_t now, Lifetime lifetime, const SignatureTimes& times);

// Whether what was signed at `signed_at` to hold for `lifetime` can be served on without being made
// anew: the clock must not be behind it, and enough of its time must be left.
bool still_good(std::uint32_t signed_at, std::uint32_t now, Lifetime lifetime,
                const SignatureTimes& times);

// Everything before the signer's name.
inline constexpr std::size_t kRrsigHead = 18;
// Of an RRSIG's data in `zone`: the same for every set, as both algorithms' signatures are.
inline std::size_t rrsig_size(wire::dns::NameView zone) {
  return kRrsigHead + zone.size() + kSignatureSize;
}

struct RrsigFields {
  wire::dns::RrType covered = wire::dns::RrType::kA;
  std::uint8_t labels = 0;
  std::uint32_t original_ttl = 0;
  Validity validity;
};
// The data up to the signature, which is the first part of what is signed: `zone` in lower case.
void write_rrsig_head(ByteWriter& out, const RrsigFields& fields, const ZoneKey& key,
                      wire::dns::NameView zone);

}  // namespace timepool::dnssec
