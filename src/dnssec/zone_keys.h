// ZoneKeys: the keys of one zone as those who sign its answers see them: what the DNSKEY, CDS and
// CDNSKEY sets hold now and which key signs what. A plain value; whoever keeps and rolls the keys
// makes a new one when something changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/byte_reader.h"

namespace timepool::dnssec {

// Those of RFC 8624 3.1 that are made and used here.
enum class Algorithm : std::uint8_t { kEcdsaP256Sha256 = 13, kEd25519 = 15 };

// Of both algorithms (RFC 6605 4, RFC 8080 4).
inline constexpr std::size_t kSignatureSize = 64;

// Flags of DNSKEY (RFC 4034 2.1.1).
inline constexpr std::uint16_t kZoneKeyFlag = 0x0100;
inline constexpr std::uint16_t kEntryPointFlag = 0x0001;

// The private part of one key. Any number of threads may sign at once.
class Signer {
 public:
  virtual ~Signer() = default;
  // The signature over `data`, which is the RRSIG's data up to the signature and the canonical
  // RRset (RFC 4034 3.1.8.1). False when the library that signs fails.
  [[nodiscard]] virtual bool sign(Bytes data, std::span<std::byte, kSignatureSize> out) const = 0;
};

struct ZoneKey {
  std::uint16_t flags = kZoneKeyFlag;
  Algorithm algorithm = Algorithm::kEcdsaP256Sha256;
  std::vector<std::byte> public_key;  // as in the DNSKEY's data (RFC 6605 4, RFC 8080 3)
  std::uint16_t tag = 0;              // RFC 4034 appendix B
  // Whether the DNSKEY set holds it. A key of another algorithm signs before it is there, for those
  // who hold the old set (RFC 6781 4.1.4).
  bool published = true;
  bool signs_keys = false;               // the sets DNSKEY, CDS and CDNSKEY
  bool signs_data = false;               // every other set
  std::shared_ptr<const Signer> signer;  // null where neither is signed
};

// The data of the key's DNSKEY record (RFC 4034 2.1), which CDNSKEY has too.
std::vector<std::byte> dnskey_data(const ZoneKey& key);
// The number that RRSIG and DS name it by (RFC 4034 appendix B).
std::uint16_t key_tag(const ZoneKey& key);

struct ZoneKeys {
  std::vector<ZoneKey> keys;  // all that are published or sign, none twice
  std::uint32_t dnskey_ttl = 3600;
  // Data of the records, in canonical order; empty: there is no such set (RFC 7344 4).
  std::vector<std::vector<std::byte>> cds;
  std::vector<std::vector<std::byte>> cdnskey;
};

// By the zone's name: its wire form in lower case.
using KeysByZone = std::map<std::string, std::shared_ptr<const ZoneKeys>>;

// How long signatures hold, in seconds. Clients of a time pool may have wrong clocks, so signatures
// begin well in the past; answers of pools hold for hours, what hardly changes for days.
struct SignatureTimes {
  std::uint32_t inception_before = 12 * 3600;  // how long ago a new signature's inception is
  std::uint32_t pool_lifetime = 24 * 3600;     // from now, of sets drawn by weight
  std::uint32_t static_lifetime = 7 * 86400;   // from now, of all others
  // A signature is made anew when less than this share of its lifetime, in percent, is left.
  std::uint32_t renew_percent = 50;
  bool operator==(const SignatureTimes&) const = default;
};

}  // namespace timepool::dnssec
