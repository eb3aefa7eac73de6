// EDNS(0): the OPT pseudo-record (RFC 6891), its flags and the options that timepool knows.
// Nothing here copies or allocates: options stay in the message.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/ip.h"
#include "base/result.h"
#include "wire/dns/constants.h"

namespace timepool::wire::dns {

// Any 16-bit value is an option.
enum class OptionCode : std::uint16_t {
  kNsid = 3,           // RFC 5001
  kClientSubnet = 8,   // RFC 7871
  kExpire = 9,         // RFC 7314
  kCookie = 10,        // RFC 7873
  kKeepalive = 11,     // RFC 7828
  kPadding = 12,       // RFC 7830
  kExtendedError = 15  // RFC 8914
};

// RFC 7871 6. family is 1 or 2, or 0 with nothing else set: "no subnet, please".
struct ClientSubnet {
  std::uint16_t family = 0;
  std::uint8_t source = 0;  // bits of the address that were given
  std::uint8_t scope = 0;   // bits that the answer depends on; 0 in a query
  IpAddress address;        // bits behind source are zero

  Prefix prefix() const { return {address, source}; }
  bool operator==(const ClientSubnet&) const = default;
};

// RFC 7873 4; both in the message.
struct Cookie {
  Bytes client;  // 8 bytes
  Bytes server;  // none, or 8 to 32 bytes
};

// RFC 8914 2.
struct ExtendedError {
  std::uint16_t code = 0;
  std::string_view text;  // UTF-8, unchecked
};

struct Option {
  OptionCode code = OptionCode::kNsid;
  Bytes data;
};

// The fixed fields of OPT.
struct EdnsHeader {
  static constexpr std::uint16_t kDo = 0x8000;  // DNSSEC answers wanted (RFC 3225)
  static constexpr std::uint16_t kCo = 0x4000;  // compact answers understood (RFC 9824)

  std::uint16_t udp_size = kMaxPlainUdp;
  std::uint8_t extended_rcode = 0;  // the upper eight bits of the twelve
  std::uint8_t version = 0;
  std::uint16_t flags = 0;

  bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  bool operator==(const EdnsHeader&) const = default;
};

// An OPT as it came. What a version other than 0 says in its options is not looked at (RFC 6891
// 6.1.3 has it answered with BADVERS). Of an option that comes twice, the first counts (RFC 7873
// 5.2).
struct Edns {
  // Not `= default`, with which optional<Edns>::emplace() would fill it all with zeros first.
  Edns() {}  // NOLINT(modernize-use-equals-default)

  EdnsHeader header;
  Bytes options;  // all of them, in the message
  std::optional<ClientSubnet> client_subnet;
  std::optional<Cookie> cookie;
  std::optional<Bytes> nsid;
  std::optional<Bytes> keepalive;
  bool padding = false;
  std::optional<ExtendedError> extended_error;
};

enum class EdnsIn : std::uint8_t { kQuery, kResponse };

// Reads OPT's class, TTL and data fields. Errors: kOptionLength, kSubnet*, kCookieLength.
Result<Edns, Malformed> parse_edns(std::uint16_t klass, std::uint32_t ttl, Bytes rdata, EdnsIn in);
// The same into `edns`, which must be fresh: a server's hot path does without the copy.
Result<void, Malformed> parse_edns_into(std::uint16_t klass, std::uint32_t ttl, Bytes rdata,
                                        EdnsIn in, Edns& edns);

// The next option of `reader`, which reads OPT's data; CHECKs nothing, fails with kOptionLength.
Result<Option, Malformed> parse_option(ByteReader& reader);
// Errors: kSubnetFamily, kSubnetPrefix, kSubnetScope (in a query), kSubnetLength, kSubnetBits.
Result<ClientSubnet, Malformed> parse_client_subnet(Bytes data, EdnsIn in);
// Errors: kCookieLength.
Result<Cookie, Malformed> parse_cookie(Bytes data);
// Errors: kOptionLength.
Result<ExtendedError, Malformed> parse_extended_error(Bytes data);

// Options with their code and length, to be put into OPT's data.
void write_option(ByteWriter& writer, OptionCode code, Bytes data);
// The address is cut to the bytes of `source`.
void write_option(ByteWriter& writer, const ClientSubnet& subnet);
void write_option(ByteWriter& writer, const Cookie& cookie);
void write_option(ByteWriter& writer, const ExtendedError& error);
// `count` zero bytes of padding beside the option's own four.
void write_padding(ByteWriter& writer, std::size_t count);

// OPT without options: owner, type, class, TTL, length.
inline constexpr std::size_t kOptSize = 11;
// A whole OPT; `options` is what write_option wrote.
void write_opt(ByteWriter& writer, const EdnsHeader& header, Bytes options);

}  // namespace timepool::wire::dns
