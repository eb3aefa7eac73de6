// OctetWriter: writes big-endian fields into room that was measured before, without asking at each
// field whether there is any: for the hot path, where ByteWriter's sticky error costs as much as
// the fields. Whoever uses it CHECKs the room first and the size at the end.
#pragma once

#include <bit>
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
  void u16(std::uint16_t value) { put(network(value)); }
  void u32(std::uint32_t value) { put(network(value)); }
  void u64(std::uint64_t value) { put(network(value)); }
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
  template <class Integer>
  void put(Integer value) {
    std::memcpy(at_, &value, sizeof(value));
    at_ += sizeof(value);
  }
  // The same octets the other way round where the machine's lowest comes first.
  static std::uint16_t network(std::uint16_t value) {
    return is_little() ? __builtin_bswap16(value) : value;
  }
  static std::uint32_t network(std::uint32_t value) {
    return is_little() ? __builtin_bswap32(value) : value;
  }
  static std::uint64_t network(std::uint64_t value) {
    return is_little() ? __builtin_bswap64(value) : value;
  }
  static constexpr bool is_little() { return std::endian::native == std::endian::little; }

  std::byte* start_;
  std::byte* at_;
};

}  // namespace timepool::dns
