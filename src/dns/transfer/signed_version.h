// A zone's version with everything that servers need which copy it and cannot sign: the sets
// DNSKEY, CDS and CDNSKEY, a chain of NSEC over all names, and RRSIG over every set that is the
// zone's own (RFC 4035 2). The same keys sign as sign our own answers (dns/signed), whose denials
// are made for one name each: both kinds say only what is true, and a resolver may hold them side
// by side (ADR 0051).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "dns/transfer/transfer.h"
#include "dnssec/zone_keys.h"

namespace timepool::dns {

enum class ExportFault : std::uint8_t {
  kNoKeys,       // no key that signs data, or none that signs keys
  kTooManyKeys,  // more than kMaxExportKeys would sign each set
  kBadRecord,    // data that is none of its type
  kSigner,       // the library that signs failed
};
std::string_view describe(ExportFault fault);

// The most keys that sign one set: in a roll of algorithms there are two.
inline constexpr std::size_t kMaxExportKeys = 4;

struct SignedVersion {
  std::shared_ptr<const ZoneVersion> version;
  std::size_t made = 0;  // signatures
  std::size_t kept = 0;  // of the version before
};

// `data` signed. Signatures of `before` (may be null) are kept where they are over the same set by
// a key that its DNSKEY set has, and are not about to be made anew. Those made at one time end at
// different ones, spread by owner and type, so that a zone is not signed anew all at once.
// `now` is in Unix seconds modulo 2^32.
Result<SignedVersion, ExportFault> sign_version(const ZoneVersion& data,
                                                const dnssec::ZoneKeys& keys,
                                                const dnssec::SignatureTimes& times,
                                                std::uint32_t now, const ZoneVersion* before);

// The longest expire that the SOA of a copy may have, in seconds: a secondary that hears no more of
// us gives the zone up before it gives signatures that have ended (RFC 6781 4.4.1). The oldest
// signatures that it can have come by hold as long as those hold that are not made anew yet, less
// an eighth for the time until they are.
std::uint32_t longest_expire(const dnssec::SignatureTimes& times);

// Without what sign_version() adds.
std::shared_ptr<const ZoneVersion> without_signatures(const ZoneVersion& version);

// What a version says of its signatures.
struct SignatureState {
  // Algorithm and tag.
  using Signers = std::set<std::pair<std::uint8_t, std::uint16_t>>;
  bool is_signed = false;
  std::vector<TransferRecord> entry;  // DNSKEY, CDS and CDNSKEY, sorted
  Signers data_signers;
  Signers entry_signers;
  std::uint32_t first_expiration = 0;  // of those that end the soonest
  std::uint32_t last_inception = 0;
};
SignatureState signature_state(const ZoneVersion& version);

// Whether a version of that state is signed as `keys` ask for, and no signature is due.
bool is_signed_by(const SignatureState& state, const wire::dns::DnsName& origin,
                  const dnssec::ZoneKeys& keys);
bool is_fresh(const SignatureState& state, const dnssec::SignatureTimes& times, std::uint32_t now);

}  // namespace timepool::dns
