// The 48-octet header that every NTP packet of versions 1 to 4 begins with (RFC 5905 7.3; 1, 2 and
// 3: RFC 1059, 1119, 1305). The codec keeps every bit: what was parsed is written back the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/time.h"
#include "wire/ntp/reference_id.h"

namespace timepool::wire::ntp {

inline constexpr std::size_t kHeaderSize = 48;
inline constexpr std::uint16_t kNtpPort = 123;
inline constexpr std::uint8_t kMinVersion = 1;
inline constexpr std::uint8_t kMaxVersion = 4;
// RFC 5905 7.3: 16 and above is unsynchronised; on the wire that is written as 0.
inline constexpr std::uint8_t kMaxStratum = 16;

// RFC 5905 figure 9.
enum class Leap : std::uint8_t { kNone = 0, kInsert = 1, kDelete = 2, kUnsynchronised = 3 };
// RFC 5905 figure 10.
enum class Mode : std::uint8_t {
  kReserved = 0,
  kSymmetricActive = 1,
  kSymmetricPassive = 2,
  kClient = 3,
  kServer = 4,
  kBroadcast = 5,
  kControl = 6,
  kPrivate = 7,
};

struct Header {
  Leap leap = Leap::kNone;
  std::uint8_t version = kMaxVersion;  // 0 to 7
  Mode mode = Mode::kReserved;
  std::uint8_t stratum = 0;
  std::int8_t poll = 0;       // log2 seconds
  std::int8_t precision = 0;  // log2 seconds
  NtpShort root_delay;
  NtpShort root_dispersion;
  ReferenceId reference_id;
  NtpTimestamp reference;
  NtpTimestamp origin;
  NtpTimestamp receive;
  NtpTimestamp transmit;

  bool operator==(const Header&) const = default;
};

// Reads 48 octets; the reader fails when there are fewer. Values are not judged.
Header read_header(ByteReader& reader);
// Of a client's request what its answer depends on: version, mode, poll and transmit timestamp; the
// rest as in Header{}. CHECKs that there are 48 octets.
Header read_request(Bytes request);
// Writes 48 octets. Only the low three bits of the version are written.
void write_header(const Header& header, ByteWriter& writer);

// The mode of a received packet. RFC 1059 has no mode field, so a version 1 packet of mode 0 is a
// client's request unless it comes from port 123 (RFC 5905 appendix A.5.1 and what servers do).
Mode effective_mode(const Header& header, std::uint16_t source_port);

// The timestamps by which a packet asks for interleaved mode (RFC 9769); CHECKs as above.
struct AskedTimes {
  NtpTimestamp origin;
  NtpTimestamp receive;
  NtpTimestamp transmit;
};
AskedTimes asked_times(Bytes request);

// Puts a transmit timestamp into a packet already written; CHECKs that it has a header.
void set_transmit(MutableBytes packet, NtpTimestamp transmit);

// "none", "insert", "delete", "unsynchronised".
std::string_view name_of(Leap leap);
// "client", "server", "symmetric_active", ...
std::string_view name_of(Mode mode);

}  // namespace timepool::wire::ntp
