// For tests and fuzz targets of this library only: a packet written as a whole, to be parsed again.
#pragma once

#include "base/byte_writer.h"
#include "wire/ntp/packet.h"

namespace timepool::wire::ntp::testing {

// Writes header, fields and MAC. The last field is padded to 28 octets when no MAC follows. The
// writer fails when it does not fit; a packet that parse_packet() gave is written the same again.
inline void write_packet(const Packet& packet, ByteWriter& writer) {
  write_header(packet.header, writer);
  for (std::size_t i = 0; i < packet.fields.size(); ++i) {
    const bool last = i + 1 == packet.fields.size() && packet.mac.kind == MacKind::kNone;
    write_field(packet.fields[i], writer, last ? kMinLastFieldSize : kMinFieldSize);
  }
  if (packet.mac.kind == MacKind::kNone) return;
  writer.u32(packet.mac.key_id);
  writer.bytes(packet.mac.digest);
}

}  // namespace timepool::wire::ntp::testing
