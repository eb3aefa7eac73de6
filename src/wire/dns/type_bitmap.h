// Type bitmaps of NSEC (RFC 4034 4.1.2): blocks of window number, length and bits, in order, with
// no empty block and no trailing zero octet.
#pragma once

#include <span>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "wire/dns/constants.h"

namespace timepool::wire::dns {

// May be empty. Errors: kTypeBitmap.
Result<void, Malformed> check_type_bitmap(Bytes bitmap);
// Of a bitmap that check_type_bitmap accepts.
bool bitmap_has(Bytes bitmap, RrType type);
// `types` in ascending order, each once; CHECKs the order.
void write_type_bitmap(ByteWriter& writer, std::span<const RrType> types);

// `function` of each type in ascending order.
template <class F>
void for_each_type(Bytes bitmap, F&& function) {
  ByteReader reader(bitmap);
  while (reader.ok() && reader.remaining() > 0) {
    const unsigned window = reader.u8();
    const Bytes bits = reader.bytes(reader.u8());
    for (unsigned i = 0; i < bits.size() * 8; ++i) {
      if ((std::to_integer<unsigned>(bits[i / 8]) >> (7 - i % 8) & 1) != 0) {
        function(static_cast<RrType>(window << 8 | i));
      }
    }
  }
}

}  // namespace timepool::wire::dns
