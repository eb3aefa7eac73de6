// OctetWriter: writes big-endian fields into room that was measured before, without asking at each
// field whether there is any: for the hot path, where ByteWriter's sticky error costs as much as
// the fields. Whoever uses it CHECKs the room first and the size at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/byte_reader.h"

namespace timepool::dns {

class OctetWriter {
 public:
  explicit OctetWriter(MutableBytes out) : start_(out.data()), at_(out.data()) {}

  std::size_t size() const { return static_cast<std::size_t>(at_ - start_); }

  void u8(std::uint8_t value) { *at_++ = static_cast<std::byte>(value); }
  void u16(std::uint16_t value) {
    const auto swapped = static_cast<std::uint16_t>(value << 8 | value >> 8);
    std::memcpy(at_, &swapped, 2);
    at_ += 2;
  }
  void bytes(Bytes in) {
    for (const std::byte octet : in) *at_++ = octet;
  }
  void zeros(std::size_t count) {
    std::memset(at_, 0, count);
    at_ += count;
  }
  void text(std::string_view in) {
    if (!in.empty()) std::memcpy(at_, in.data(), in.size());
    at_ += in.size();
  }

 private:
  std::byte* start_;
  std::byte* at_;
};

}  // namespace timepool::dns
