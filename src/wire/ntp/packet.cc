#include "wire/ntp/packet.h"

#include <algorithm>

namespace timepool::wire::ntp {
namespace {

constexpr std::size_t kKeyIdSize = 4;
constexpr std::size_t kMsSntpSize = 20;
constexpr std::size_t kMsSntpExtendedSize = 72;

bool is_zero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

// MD5 and AES-CMAC, SHA-1 and everything truncated to it (RFC 7822).
bool is_short_mac_size(std::size_t size) {
  return size == 20 || size == 24;
}

// SHA-256, SHA-384, SHA-512, and the MS-SNTP extended authenticator.
bool is_long_mac_size(std::size_t size) {
  return size == 36 || size == 52 || size == 68 || size == kMsSntpExtendedSize;
}

bool is_mac_size(std::size_t size, std::uint8_t version) {
  // RFC 1119 and 1305 appendix C: a key id and 64 bits of DES.
  if (version <= 3 && size == 12) return true;
  return size == kKeyIdSize || is_short_mac_size(size) || is_long_mac_size(size);
}

Result<Mac, PacketError> read_mac(ByteReader& reader) {
  Mac out;
  out.key_id = reader.u32();
  out.digest = reader.rest();
  const std::size_t size = kKeyIdSize + out.digest.size();
  if (size == kKeyIdSize) {
    if (out.key_id != 0) return fail(PacketError::kBadMac);
    out.kind = MacKind::kCryptoNak;
  } else if ((size == kMsSntpSize || size == kMsSntpExtendedSize) && is_zero(out.digest)) {
    out.kind = MacKind::kMsSntp;
  } else {
    out.kind = MacKind::kDigest;
  }
  return out;
}

// Reads fields while what is left is long enough to be one. Stops before what can be a MAC.
Result<void, PacketError> read_fields(ByteReader& reader, Packet& out) {
  while (reader.remaining() >= kMinFieldSize && !is_short_mac_size(reader.remaining())) {
    const std::size_t start = reader.position();
    ByteReader attempt(reader.buffer());
    attempt.seek(start);
    const ExtensionField field = read_field(attempt);
    if (!attempt.ok()) {
      if (is_long_mac_size(reader.remaining())) return {};
      return fail(PacketError::kBadField);
    }
    // RFC 7822: the last field is too short to stand without a MAC.
    if (attempt.remaining() == 0 && field.size() < kMinLastFieldSize) {
      return fail(PacketError::kBadField);
    }
    if (!out.fields.push_back(field)) return fail(PacketError::kTooManyFields);
    reader.seek(attempt.position());
  }
  return {};
}

}  // namespace

const ExtensionField* Packet::field(std::uint16_t type) const {
  for (const ExtensionField& candidate : fields) {
    if (candidate.type == type) return &candidate;
  }
  return nullptr;
}

Result<Packet, PacketError> parse_packet(Bytes datagram) {
  if (datagram.size() < kHeaderSize) return fail(PacketError::kTooShort);
  if (datagram.size() % 4 != 0) return fail(PacketError::kBadLength);
  ByteReader reader(datagram);
  Packet out;
  out.header = read_header(reader);
  const std::uint8_t version = out.header.version;
  if (version < kMinVersion || version > kMaxVersion) return fail(PacketError::kBadVersion);
  if (version == 4) {
    const Result<void, PacketError> fields = read_fields(reader, out);
    if (!fields.ok()) return fail(fields.error());
  }
  if (reader.remaining() == 0) return out;
  if (!is_mac_size(reader.remaining(), version)) return fail(PacketError::kBadMac);
  Result<Mac, PacketError> mac = read_mac(reader);
  if (!mac.ok()) return fail(mac.error());
  out.mac = *mac;
  return out;
}

std::optional<Mac> lone_mac(Bytes datagram) {
  if (datagram.size() < kHeaderSize || !is_short_mac_size(datagram.size() - kHeaderSize)) {
    return std::nullopt;
  }
  ByteReader reader(datagram.subspan(kHeaderSize));
  Result<Mac, PacketError> mac = read_mac(reader);
  return mac.ok() ? std::optional(*mac) : std::nullopt;
}

std::string_view name_of(PacketError error) {
  switch (error) {
    case PacketError::kTooShort:
      return "too_short";
    case PacketError::kBadLength:
      return "bad_length";
    case PacketError::kBadVersion:
      return "bad_version";
    case PacketError::kBadField:
      return "bad_field";
    case PacketError::kTooManyFields:
      return "too_many_fields";
    case PacketError::kBadMac:
      break;
  }
  return "bad_mac";
}

}  // namespace timepool::wire::ntp
