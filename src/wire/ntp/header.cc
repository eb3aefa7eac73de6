#include "wire/ntp/header.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace timepool::wire::ntp {
namespace {

constexpr std::size_t kTransmitPosition = 40;

// Whole words at a time, which a server's speed shows: a header is read and written per packet.
template <class Integer>
Integer big_endian(Integer value) {
  if constexpr (std::endian::native == std::endian::big) {
    return value;
  } else if constexpr (sizeof value == 4) {
    return __builtin_bswap32(value);
  } else {
    return __builtin_bswap64(value);
  }
}
template <class Integer>
Integer load(const std::byte* from) {
  Integer value;
  std::memcpy(&value, from, sizeof value);
  return big_endian(value);
}
template <class Integer>
void store(std::byte* to, Integer value) {
  value = big_endian(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace

Header read_header(ByteReader& reader) {
  Header out;
  const Bytes bytes = reader.bytes(kHeaderSize);
  if (bytes.size() != kHeaderSize) return out;
  const std::byte* at = bytes.data();
  const auto octet = [at](std::size_t i) { return std::to_integer<std::uint8_t>(at[i]); };
  out.leap = static_cast<Leap>(octet(0) >> 6);
  out.version = static_cast<std::uint8_t>(octet(0) >> 3 & 7);
  out.mode = static_cast<Mode>(octet(0) & 7);
  out.stratum = octet(1);
  out.poll = static_cast<std::int8_t>(octet(2));
  out.precision = static_cast<std::int8_t>(octet(3));
  out.root_delay = NtpShort::from_bits(load<std::uint32_t>(at + 4));
  out.root_dispersion = NtpShort::from_bits(load<std::uint32_t>(at + 8));
  out.reference_id = ReferenceId::from_bits(load<std::uint32_t>(at + 12));
  out.reference = NtpTimestamp::from_bits(load<std::uint64_t>(at + 16));
  out.origin = NtpTimestamp::from_bits(load<std::uint64_t>(at + 24));
  out.receive = NtpTimestamp::from_bits(load<std::uint64_t>(at + 32));
  out.transmit = NtpTimestamp::from_bits(load<std::uint64_t>(at + 40));
  return out;
}

Header read_request(Bytes request) {
  CHECK(request.size() >= kHeaderSize);
  const auto octet = [request](std::size_t i) { return std::to_integer<std::uint8_t>(request[i]); };
  Header out;
  out.version = static_cast<std::uint8_t>(octet(0) >> 3 & 7);
  out.mode = static_cast<Mode>(octet(0) & 7);
  out.poll = static_cast<std::int8_t>(octet(2));
  out.transmit = NtpTimestamp::from_bits(load<std::uint64_t>(&request[kTransmitPosition]));
  return out;
}

AskedTimes asked_times(Bytes request) {
  CHECK(request.size() >= kHeaderSize);
  const auto at = [request](std::size_t i) {
    return NtpTimestamp::from_bits(load<std::uint64_t>(&request[i]));
  };
  return {at(24), at(32), at(kTransmitPosition)};
}

void write_header(const Header& header, ByteWriter& writer) {
  const unsigned first = static_cast<unsigned>(header.leap) << 6 | (header.version & 7u) << 3 |
                         static_cast<unsigned>(header.mode);
  std::array<std::byte, kHeaderSize> out;
  out[0] = static_cast<std::byte>(first);
  out[1] = static_cast<std::byte>(header.stratum);
  out[2] = static_cast<std::byte>(header.poll);
  out[3] = static_cast<std::byte>(header.precision);
  store(&out[4], header.root_delay.bits());
  store(&out[8], header.root_dispersion.bits());
  store(&out[12], header.reference_id.bits());
  store(&out[16], header.reference.bits());
  store(&out[24], header.origin.bits());
  store(&out[32], header.receive.bits());
  store(&out[40], header.transmit.bits());
  writer.bytes(out);
}

Mode effective_mode(const Header& header, std::uint16_t source_port) {
  if (header.version == 1 && header.mode == Mode::kReserved && source_port != kNtpPort) {
    return Mode::kClient;
  }
  return header.mode;
}

void set_transmit(MutableBytes packet, NtpTimestamp transmit) {
  CHECK(packet.size() >= kHeaderSize);
  store(packet.data() + kTransmitPosition, transmit.bits());
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
