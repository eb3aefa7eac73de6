#include "wire/ntp/extension_field.h"

#include <algorithm>

namespace timepool::wire::ntp {

ExtensionField read_field(ByteReader& reader) {
  ExtensionField out;
  out.type = reader.u16();
  const std::size_t length = reader.u16();
  if (length < kMinFieldSize || length % 4 != 0) {
    reader.fail();
    return {};
  }
  out.body = reader.bytes(length - kFieldHeaderSize);
  return out;
}

void write_field(const ExtensionField& field, ByteWriter& writer, std::size_t min_size) {
  const std::size_t size = std::max((field.size() + 3) / 4 * 4, (min_size + 3) / 4 * 4);
  if (size > kMaxFieldSize || size > writer.remaining()) {
    writer.fail();
    return;
  }
  writer.u16(field.type);
  writer.u16(static_cast<std::uint16_t>(size));
  writer.bytes(field.body);
  writer.zeros(size - field.size());
}

}  // namespace timepool::wire::ntp
