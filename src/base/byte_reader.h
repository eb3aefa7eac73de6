// ByteReader: reads big-endian fields from a borrowed buffer. A read past the end sets a sticky
// error and yields zeros, so a parser checks ok() once at the end (and before it loops on a count).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace timepool {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  // The whole buffer, read or not: for formats with pointers into it.
  Bytes buffer() const { return bytes_; }

  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u64() { return integer(8); }

  // The next `count` bytes, still in the buffer; empty and failed if there are fewer.
  Bytes bytes(std::size_t count) {
    if (!ok_ || count > remaining()) {
      ok_ = false;
      return {};
    }
    const Bytes out = bytes_.subspan(position_, count);
    position_ += count;
    return out;
  }
  Bytes rest() { return bytes(remaining()); }
  void skip(std::size_t count) { static_cast<void>(bytes(count)); }
  // Moves to an absolute position; past the end fails.
  void seek(std::size_t position) {
    if (position > bytes_.size()) {
      ok_ = false;
      return;
    }
    position_ = position;
  }
  // Copies out.size() bytes; zeros on failure.
  void copy(MutableBytes out) {
    const Bytes in = bytes(out.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = ok_ ? in[i] : std::byte{0};
  }
  // Sets the error from outside, for a parser that finds a value it can't accept.
  void fail() { ok_ = false; }

 private:
  // `width` is a constant at every call: this becomes one load.
  std::uint64_t integer(std::size_t width) {
    if (!ok_ || width > remaining()) {
      ok_ = false;
      return 0;
    }
    const std::byte* at = bytes_.data() + position_;
    position_ += width;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value = value << 8 | std::to_integer<std::uint64_t>(at[i]);
    }
    return value;
  }

  Bytes bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace timepool
