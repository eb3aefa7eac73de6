// ByteWriter: writes big-endian fields into a borrowed buffer. A write past the end sets a sticky
// error and writes nothing; size() is what was written, and what is skipped is zeroed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/byte_reader.h"

namespace timepool {

class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes buffer) : buffer_(buffer) {}

  bool ok() const { return ok_; }
  std::size_t size() const { return size_; }
  std::size_t remaining() const { return buffer_.size() - size_; }
  Bytes written() const { return buffer_.first(size_); }
  // The whole buffer, for a format that patches fields it wrote before.
  MutableBytes buffer() const { return buffer_; }

  void u8(std::uint8_t value) { integer(value, 1); }
  void u16(std::uint16_t value) { integer(value, 2); }
  void u32(std::uint32_t value) { integer(value, 4); }
  void u64(std::uint64_t value) { integer(value, 8); }

  void bytes(Bytes in) {
    const MutableBytes out = claim(in.size());
    if (!out.empty()) std::copy(in.begin(), in.end(), out.begin());
  }
  void text(std::string_view in) { bytes(std::as_bytes(std::span(in.data(), in.size()))); }
  void zeros(std::size_t count) {
    const MutableBytes out = claim(count);
    std::fill(out.begin(), out.end(), std::byte{0});
  }
  // Overwrites two bytes written before, at `position`; fails when they were not written.
  void patch_u16(std::size_t position, std::uint16_t value) {
    if (position + 2 > size_) {
      ok_ = false;
      return;
    }
    buffer_[position] = static_cast<std::byte>(value >> 8);
    buffer_[position + 1] = static_cast<std::byte>(value & 0xff);
  }
  // Forgets everything from `position` on (and keeps the error, if there is one).
  void truncate(std::size_t position) { size_ = std::min(size_, position); }
  // Forgets everything from `position` on and the error that came since: the caller saw ok() there.
  void rewind(std::size_t position) {
    size_ = std::min(size_, position);
    ok_ = true;
  }
  void fail() { ok_ = false; }

 private:
  MutableBytes claim(std::size_t count) {
    if (!ok_ || count > remaining()) {
      ok_ = false;
      return {};
    }
    const MutableBytes out = buffer_.subspan(size_, count);
    size_ += count;
    return out;
  }
  void integer(std::uint64_t value, std::size_t width) {
    const MutableBytes out = claim(width);
    for (std::size_t i = out.size(); i > 0; --i) {
      out[i - 1] = static_cast<std::byte>(value & 0xff);
      value >>= 8;
    }
  }

  MutableBytes buffer_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace timepool
