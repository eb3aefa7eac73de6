// Records of NTS key establishment (RFC 8915 4): a critical bit and a 15-bit type, a 16-bit length
// of the body, and the body. A request and a response are each a row of records that ends with an
// End of Message. A record here is a view of the octets it was read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/byte_reader.h"
#include "base/byte_writer.h"

namespace timepool::wire::nts {

inline constexpr std::size_t kRecordHeaderSize = 4;
inline constexpr std::size_t kMaxRecordBody = 65535;
inline constexpr std::uint16_t kMaxRecordType = 0x7fff;

// The registry of RFC 8915 7.6, and what IANA assigned early to
// draft-ietf-ntp-nts-keyexchange-pool (8 to 14).
namespace record_type {
inline constexpr std::uint16_t kEndOfMessage = 0;
inline constexpr std::uint16_t kNextProtocol = 1;
inline constexpr std::uint16_t kError = 2;
inline constexpr std::uint16_t kWarning = 3;
inline constexpr std::uint16_t kAead = 4;
inline constexpr std::uint16_t kCookie = 5;
inline constexpr std::uint16_t kServer = 6;
inline constexpr std::uint16_t kPort = 7;
inline constexpr std::uint16_t kKeepAlive = 8;
inline constexpr std::uint16_t kSupportedProtocols = 9;
inline constexpr std::uint16_t kSupportedAlgorithms = 10;
inline constexpr std::uint16_t kServerNames = 11;
inline constexpr std::uint16_t kFixedKeys = 12;
inline constexpr std::uint16_t kServerDeny = 13;
inline constexpr std::uint16_t kAuthenticationToken = 14;
// chrony's: keys of AES-128-GCM-SIV come from the context that RFC 8915 5.1 asks for.
inline constexpr std::uint16_t kCompliantGcmSiv = 1024;
}  // namespace record_type

// RFC 8915 7.7: NTPv4 is the only one.
inline constexpr std::uint16_t kProtocolNtpv4 = 0;

// Bodies of an Error record, RFC 8915 4.1.3.
namespace error_code {
inline constexpr std::uint16_t kUnrecognisedCritical = 0;
inline constexpr std::uint16_t kBadRequest = 1;
inline constexpr std::uint16_t kInternal = 2;
}  // namespace error_code

struct Record {
  bool critical = false;
  std::uint16_t type = 0;  // up to kMaxRecordType
  Bytes body;

  std::size_t size() const { return kRecordHeaderSize + body.size(); }
};

// "End of Message", "New Cookie for NTPv4", ... as RFC 8915 7.6 has them; "" for a type that has no
// name here.
std::string_view name_of_type(std::uint16_t type);

// Reads one. The reader fails when it is not there as a whole.
Record read_record(ByteReader& reader);
// The writer fails when it does not fit. CHECKs the limits of type and body.
void write_record(const Record& record, ByteWriter& writer);
// A record whose body is one 16-bit number.
void write_u16_record(bool critical, std::uint16_t type, std::uint16_t value, ByteWriter& writer);
void write_end_of_message(ByteWriter& writer);

// Finds where a message ends while its octets come in pieces of any size. Each record is looked at
// once, however many pieces there are.
class MessageEnd {
 public:
  // `so_far` is all that came, from the message's first octet; what was there before stays the
  // same. The octets of the message with its End of Message, or nothing while that is missing.
  std::optional<std::size_t> find(Bytes so_far);

 private:
  std::size_t next_ = 0;  // where the first record begins that is not whole
  std::optional<std::size_t> end_;
};

}  // namespace timepool::wire::nts
