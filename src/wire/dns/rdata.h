// Record data by type. Names are held in place (they may be compressed in the message); all other
// variable parts stay in the message and live as long as it does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/ip.h"
#include "base/result.h"
#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::wire::dns {

// A, AAAA (RFC 1035 3.4.1, RFC 3596 2.2).
struct AddressData {
  IpAddress address;
};
// NS, CNAME, PTR, DNAME (RFC 1035 3.3, RFC 6672 2.1).
struct NameData {
  DnsName name;
};
// RFC 1035 3.3.13.
struct Soa {
  DnsName mname;
  DnsName rname;
  std::uint32_t serial = 0;
  std::uint32_t refresh = 0;
  std::uint32_t retry = 0;
  std::uint32_t expire = 0;
  std::uint32_t minimum = 0;
};
// RFC 1035 3.3.9; a null MX has the root as its exchange (RFC 7505).
struct Mx {
  std::uint16_t preference = 0;
  DnsName exchange;
};
// TXT, SPF (RFC 1035 3.3.14): one or more character-strings, each with its length byte.
struct Txt {
  Bytes strings;
};
// RFC 2782.
struct Srv {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  DnsName target;
};
// RFC 8659 4.1: the tag is 1 to 255 letters and digits.
struct Caa {
  std::uint8_t flags = 0;
  Bytes tag;
  Bytes value;
};
// DNSKEY, CDNSKEY (RFC 4034 2.1).
struct Dnskey {
  std::uint16_t flags = 0;
  std::uint8_t protocol = 3;
  std::uint8_t algorithm = 0;
  Bytes key;
};
// DS, CDS (RFC 4034 5.1).
struct Ds {
  std::uint16_t key_tag = 0;
  std::uint8_t algorithm = 0;
  std::uint8_t digest_type = 0;
  Bytes digest;
};
// RFC 4034 3.1; times are seconds since 1970 modulo 2^32.
struct Rrsig {
  RrType covered = RrType::kA;
  std::uint8_t algorithm = 0;
  std::uint8_t labels = 0;
  std::uint32_t original_ttl = 0;
  std::uint32_t expiration = 0;
  std::uint32_t inception = 0;
  std::uint16_t key_tag = 0;
  DnsName signer;
  Bytes signature;
};
// RFC 4034 4.1; `types` is a type bitmap (type_bitmap.h).
struct Nsec {
  DnsName next;
  Bytes types;
};
// SVCB, HTTPS (RFC 9460 2.2); `params` as in svcb.h.
struct Svcb {
  std::uint16_t priority = 0;
  DnsName target;
  Bytes params;
};
// Options, whole (RFC 6891 6.1.2); parse_edns reads them, as the version is in the TTL.
struct OptData {
  Bytes options;
};
// Everything else (RFC 3597).
struct RawData {
  Bytes bytes;
};

using Rdata = std::variant<RawData, AddressData, NameData, Soa, Mx, Txt, Srv, Caa, Dnskey, Ds,
                           Rrsig, Nsec, Svcb, OptData>;

// `function` of the alternative that `data` holds. (std::visit may throw.)
template <class F>
auto visit_rdata(F&& function, const Rdata& data) {
  const auto* raw = std::get_if<RawData>(&data);
  if (const auto* v = std::get_if<AddressData>(&data)) return function(*v);
  if (const auto* v = std::get_if<NameData>(&data)) return function(*v);
  if (const auto* v = std::get_if<Soa>(&data)) return function(*v);
  if (const auto* v = std::get_if<Mx>(&data)) return function(*v);
  if (const auto* v = std::get_if<Txt>(&data)) return function(*v);
  if (const auto* v = std::get_if<Srv>(&data)) return function(*v);
  if (const auto* v = std::get_if<Caa>(&data)) return function(*v);
  if (const auto* v = std::get_if<Dnskey>(&data)) return function(*v);
  if (const auto* v = std::get_if<Ds>(&data)) return function(*v);
  if (const auto* v = std::get_if<Rrsig>(&data)) return function(*v);
  if (const auto* v = std::get_if<Nsec>(&data)) return function(*v);
  if (const auto* v = std::get_if<Svcb>(&data)) return function(*v);
  if (const auto* v = std::get_if<OptData>(&data)) return function(*v);
  CHECK(raw != nullptr);
  return function(*raw);
}

// Reads the data of a record of `type`, `length` bytes from the reader's position; the reader reads
// the whole message, for compression. Compressed names are taken where RFC 1035 types and SRV may
// have them (RFC 3597 4), and refused elsewhere. Errors: the name's, kRdata*, kTypeBitmap, kSvcb*.
Result<Rdata, Malformed> parse_rdata(ByteReader& message, RrType type, std::size_t length);

// The data without compression; with `canonical`, its names in lower case where RFC 4034 6.2 (as
// amended by RFC 6840 5.1) says so. What can't be written (a CAA tag too long) fails the writer.
enum class NameForm : std::uint8_t { kAsIs, kCanonical };
void write_rdata(ByteWriter& writer, const Rdata& data, NameForm form = NameForm::kAsIs);

// One character-string of Txt::strings (or any such list); kRdataShort past the end.
Result<Bytes, Malformed> next_string(ByteReader& strings);
// One or more character-strings that fill `bytes`?
bool valid_strings(Bytes bytes);
// `text` as character-strings of at most 255 octets each; at least one, which may be empty.
void write_strings(ByteWriter& writer, std::string_view text);

// RFC 4034 appendix B, of the data of a DNSKEY.
std::uint16_t key_tag(const Dnskey& key);

// As dig prints it with +nosplit: "10 mx.example.", RFC 3597 "\# 4 0a000001" for unknown types.
std::string format_rdata(const Rdata& data);

}  // namespace timepool::wire::dns
