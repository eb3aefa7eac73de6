#include "wire/ntp/header.h"

#include "base/check.h"

namespace timepool::wire::ntp {
namespace {

constexpr std::size_t kTransmitPosition = 40;

NtpTimestamp read_timestamp(ByteReader& reader) {
  return NtpTimestamp::from_bits(reader.u64());
}

}  // namespace

Header read_header(ByteReader& reader) {
  Header out;
  const std::uint8_t first = reader.u8();
  out.leap = static_cast<Leap>(first >> 6);
  out.version = static_cast<std::uint8_t>(first >> 3 & 7);
  out.mode = static_cast<Mode>(first & 7);
  out.stratum = reader.u8();
  out.poll = static_cast<std::int8_t>(reader.u8());
  out.precision = static_cast<std::int8_t>(reader.u8());
  out.root_delay = NtpShort::from_bits(reader.u32());
  out.root_dispersion = NtpShort::from_bits(reader.u32());
  out.reference_id = ReferenceId::from_bits(reader.u32());
  out.reference = read_timestamp(reader);
  out.origin = read_timestamp(reader);
  out.receive = read_timestamp(reader);
  out.transmit = read_timestamp(reader);
  return out;
}

void write_header(const Header& header, ByteWriter& writer) {
  const unsigned first = static_cast<unsigned>(header.leap) << 6 | (header.version & 7u) << 3 |
                         static_cast<unsigned>(header.mode);
  writer.u8(static_cast<std::uint8_t>(first));
  writer.u8(header.stratum);
  writer.u8(static_cast<std::uint8_t>(header.poll));
  writer.u8(static_cast<std::uint8_t>(header.precision));
  writer.u32(header.root_delay.bits());
  writer.u32(header.root_dispersion.bits());
  writer.u32(header.reference_id.bits());
  writer.u64(header.reference.bits());
  writer.u64(header.origin.bits());
  writer.u64(header.receive.bits());
  writer.u64(header.transmit.bits());
}

Mode effective_mode(const Header& header, std::uint16_t source_port) {
  if (header.version == 1 && header.mode == Mode::kReserved && source_port != kNtpPort) {
    return Mode::kClient;
  }
  return header.mode;
}

void set_transmit(MutableBytes packet, NtpTimestamp transmit) {
  CHECK(packet.size() >= kHeaderSize);
  ByteWriter writer(packet.subspan(kTransmitPosition, 8));
  writer.u64(transmit.bits());
}

std::string_view name_of(Leap leap) {
  switch (leap) {
    case Leap::kNone:
      return "none";
    case Leap::kInsert:
      return "insert";
    case Leap::kDelete:
      return "delete";
    case Leap::kUnsynchronised:
      break;
  }
  return "unsynchronised";
}

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::kSymmetricActive:
      return "symmetric_active";
    case Mode::kSymmetricPassive:
      return "symmetric_passive";
    case Mode::kClient:
      return "client";
    case Mode::kServer:
      return "server";
    case Mode::kBroadcast:
      return "broadcast";
    case Mode::kControl:
      return "control";
    case Mode::kPrivate:
      return "private";
    case Mode::kReserved:
      break;
  }
  return "reserved";
}

}  // namespace timepool::wire::ntp
