// parse, write, parse again: whatever parses is written back octet for octet.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "wire/ntp/packet.h"
#include "wire/ntp/testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const Bytes datagram = std::as_bytes(std::span(data, size));
  const auto packet = wire::ntp::parse_packet(datagram);
  if (!packet.ok()) {
    CHECK(!wire::ntp::name_of(packet.error()).empty());
    return 0;
  }
  std::vector<std::byte> again(size);
  ByteWriter writer(again);
  wire::ntp::testing::write_packet(*packet, writer);
  CHECK(writer.ok());
  CHECK(writer.size() == size);
  CHECK(std::memcmp(again.data(), data, size) == 0);
  const auto second = wire::ntp::parse_packet(again);
  CHECK(second.ok());
  CHECK(second->header == packet->header);
  CHECK(second->fields.size() == packet->fields.size());
  CHECK(second->mac.kind == packet->mac.kind);
  static_cast<void>(wire::ntp::format(packet->header.reference_id, packet->header.stratum));
  return 0;
}
