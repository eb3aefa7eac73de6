// Packet: a whole NTP datagram of versions 1 to 4 as a bounded view: header, extension fields and
// message authentication code. Nothing is copied or allocated; the datagram must outlive the view.
//
// What follows the header is ambiguous, since a MAC has no type or length of its own. The rules:
//   1. Version 4, fewer than 28 octets left: 0 is the end, 4 zero octets are a crypto-NAK, 20 and
//      24 a MAC (RFC 7822), anything else is an error. A field of 16 to 24 octets can
//      therefore only stand before another field or a MAC.
//   2. Version 4, 28 or more left: an extension field, if its length is sound; otherwise a MAC if
//      what is left has the size of one with a long digest (36, 52, 68) or of the MS-SNTP
//      extended authenticator (72); otherwise an error.
//   3. Version 3 and below has no extension fields: everything left is a MAC (RFC 1305 has 12
//      octets, later use all the sizes above) or an error.
//   4. A MAC of 20 or 72 octets whose digest is all zero is an MS-SNTP request for a signature.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"
#include "base/static_vector.h"
#include "wire/ntp/extension_field.h"
#include "wire/ntp/header.h"

namespace timepool::wire::ntp {

// An NTS request holds at most 11 (unique id, cookie, 8 placeholders, authenticator); a stranger's
// packet with more than 32 costs time and says nothing.
inline constexpr std::size_t kMaxFields = 32;

enum class MacKind : std::uint8_t {
  kNone,
  kDigest,     // key id and digest
  kCryptoNak,  // RFC 5905 9.2: key id zero and nothing else
  kMsSntp,     // [MS-SNTP] 2.2.1: key id and an all-zero digest
};

struct Mac {
  MacKind kind = MacKind::kNone;
  std::uint32_t key_id = 0;
  Bytes digest;  // without the key id

  std::size_t size() const { return kind == MacKind::kNone ? 0 : 4 + digest.size(); }
};

struct Packet {
  Header header;
  StaticVector<ExtensionField, kMaxFields> fields;
  Mac mac;

  // The first field of this type, or nullptr.
  const ExtensionField* field(std::uint16_t type) const;
};

enum class PacketError : std::uint8_t {
  kTooShort,       // fewer than 48 octets
  kBadLength,      // no multiple of 4
  kBadVersion,     // 0, or above 4
  kBadField,       // an extension field's length is unsound
  kTooManyFields,  // more than kMaxFields
  kBadMac,         // what is left can be neither a field nor a MAC
};

Result<Packet, PacketError> parse_packet(Bytes datagram);
// The same MAC as parse_packet() finds, for a packet of version 1 to 4 whose length alone says that
// it is a header and a MAC of 20 or 24 octets; nothing for others. Most keyed requests are of that
// kind, and this is several times faster.
std::optional<Mac> lone_mac(Bytes datagram);

// "too_short", "bad_length", ...
std::string_view name_of(PacketError error);

}  // namespace timepool::wire::ntp
