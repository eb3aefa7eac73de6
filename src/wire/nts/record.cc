#include "wire/nts/record.h"

#include <array>

#include "base/check.h"

namespace timepool::wire::nts {
namespace {

constexpr std::uint16_t kCriticalBit = 0x8000;

}  // namespace

std::string_view name_of_type(std::uint16_t type) {
  switch (type) {
    case record_type::kEndOfMessage:
      return "End of Message";
    case record_type::kNextProtocol:
      return "NTS Next Protocol Negotiation";
    case record_type::kError:
      return "Error";
    case record_type::kWarning:
      return "Warning";
    case record_type::kAead:
      return "AEAD Algorithm Negotiation";
    case record_type::kCookie:
      return "New Cookie for NTPv4";
    case record_type::kServer:
      return "NTPv4 Server Negotiation";
    case record_type::kPort:
      return "NTPv4 Port Negotiation";
    case record_type::kKeepAlive:
      return "Keep Alive";
    case record_type::kSupportedProtocols:
      return "Supported Next Protocol List";
    case record_type::kSupportedAlgorithms:
      return "Supported Algorithm List";
    case record_type::kServerNames:
      return "List Server Names";
    case record_type::kFixedKeys:
      return "Fixed Key Request";
    case record_type::kServerDeny:
      return "NTP Server Deny";
    case record_type::kAuthenticationToken:
      return "Authentication Token";
    case record_type::kCompliantGcmSiv:
      return "Compliant AES-128-GCM-SIV Exporter Context";
    default:
      return "";
  }
}

// RFC 8915 4: critical bit, type, length of the body, body.
Record read_record(ByteReader& reader) {
  const std::uint16_t head = reader.u16();
  const std::size_t length = reader.u16();
  Record out;
  out.critical = (head & kCriticalBit) != 0;
  out.type = head & kMaxRecordType;
  out.body = reader.bytes(length);
  return out;
}

void write_record(const Record& record, ByteWriter& writer) {
  CHECK(record.type <= kMaxRecordType && record.body.size() <= kMaxRecordBody);
  if (record.size() > writer.remaining()) return writer.fail();
  const unsigned head = (record.critical ? kCriticalBit : 0u) | record.type;
  writer.u16(static_cast<std::uint16_t>(head));
  writer.u16(static_cast<std::uint16_t>(record.body.size()));
  writer.bytes(record.body);
}

void write_u16_record(bool critical, std::uint16_t type, std::uint16_t value, ByteWriter& writer) {
  const std::array<std::byte, 2> body{static_cast<std::byte>(value >> 8),
                                      static_cast<std::byte>(value & 0xff)};
  write_record({critical, type, body}, writer);
}

void write_end_of_message(ByteWriter& writer) {
  write_record({true, record_type::kEndOfMessage, {}}, writer);
}

std::optional<std::size_t> MessageEnd::find(Bytes so_far) {
  while (!end_ && next_ < so_far.size()) {
    ByteReader reader(so_far.subspan(next_));
    const Record record = read_record(reader);
    if (!reader.ok()) break;
    next_ += record.size();
    if (record.type == record_type::kEndOfMessage) end_ = next_;
  }
  return end_;
}

}  // namespace timepool::wire::nts
