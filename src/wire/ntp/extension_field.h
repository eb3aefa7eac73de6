// Extension fields of NTPv4 (RFC 7822): a 16-bit type, a 16-bit length that counts itself and the
// padding, and a body. A field here is a view of the datagram it was parsed from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/byte_reader.h"
#include "base/byte_writer.h"

namespace timepool::wire::ntp {

inline constexpr std::size_t kFieldHeaderSize = 4;
// RFC 7822: no field is shorter.
inline constexpr std::size_t kMinFieldSize = 16;
// RFC 7822: nor is the last one when no MAC follows, so that it can't be taken for a MAC
// (the longest MAC of version 4 has 24 octets).
inline constexpr std::size_t kMinLastFieldSize = 28;
// The length is 16 bits and a multiple of 4.
inline constexpr std::size_t kMaxFieldSize = 65532;

// The registry of RFC 9748 as far as anybody uses it.
namespace field_type {
inline constexpr std::uint16_t kUniqueIdentifier = 0x0104;  // RFC 8915 5.3
inline constexpr std::uint16_t kNtsCookie = 0x0204;         // RFC 8915 5.4
inline constexpr std::uint16_t kNtsCookiePlaceholder = 0x0304;
inline constexpr std::uint16_t kNtsAuthenticator = 0x0404;
inline constexpr std::uint16_t kChecksumComplement = 0x2005;   // RFC 7821
inline constexpr std::uint16_t kNetworkCorrection = 0x010a;    // NTP over PTP
inline constexpr std::uint16_t kChronyExperimental1 = 0xf323;  // monotonic and root timestamps
inline constexpr std::uint16_t kNtpv5DraftIdentification = 0xf5ff;
}  // namespace field_type

struct ExtensionField {
  std::uint16_t type = 0;
  Bytes body;  // with the padding; size() + 4 is the length on the wire

  std::size_t size() const { return kFieldHeaderSize + body.size(); }
};

// Reads one field. The reader fails when the length is below 16, no multiple of 4, or more than
// remains.
ExtensionField read_field(ByteReader& reader);
// Writes a field, padded with zeros to a multiple of 4 and to `min_size` octets in all. The writer
// fails when it does not fit or is longer than a field can be.
void write_field(const ExtensionField& field, ByteWriter& writer,
                 std::size_t min_size = kMinFieldSize);

}  // namespace timepool::wire::ntp
