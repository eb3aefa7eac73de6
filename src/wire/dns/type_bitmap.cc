#include "wire/dns/type_bitmap.h"

#include <array>

namespace timepool::wire::dns {

Result<void, Malformed> check_type_bitmap(Bytes bitmap) {
  ByteReader reader(bitmap);
  int last_window = -1;
  while (reader.remaining() > 0) {
    const int window = reader.u8();
    const std::size_t length = reader.u8();
    const Bytes bits = reader.bytes(length);
    if (!reader.ok() || window <= last_window || length == 0 || length > 32 ||
        bits.back() == std::byte{0}) {
      return fail(Malformed::kTypeBitmap);
    }
    last_window = window;
  }
  return {};
}

bool bitmap_has(Bytes bitmap, RrType type) {
  bool found = false;
  for_each_type(bitmap, [&](RrType present) { found = found || present == type; });
  return found;
}

void write_type_bitmap(ByteWriter& writer, std::span<const RrType> types) {
  std::size_t i = 0;
  int last = -1;
  while (i < types.size()) {
    const unsigned window = static_cast<unsigned>(types[i]) >> 8;
    std::array<std::byte, 32> bits{};
    std::size_t length = 0;
    for (; i < types.size() && static_cast<unsigned>(types[i]) >> 8 == window; ++i) {
      const auto value = static_cast<unsigned>(types[i]);
      CHECK(static_cast<int>(value) > last);
      last = static_cast<int>(value);
      bits[(value & 0xff) / 8] |= static_cast<std::byte>(0x80U >> (value & 7));
      length = (value & 0xff) / 8 + 1;
    }
    writer.u8(static_cast<std::uint8_t>(window));
    writer.u8(static_cast<std::uint8_t>(length));
    writer.bytes(Bytes(bits).first(length));
  }
}

}  // namespace timepool::wire::dns
