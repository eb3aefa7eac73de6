// For fuzz targets: a Mac whose digests are a hash of eight octets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/mac.h"
#include "base/siphash.h"

namespace timepool::fuzzing {

class FuzzMac final : public Mac {
 public:
  std::size_t size() const override { return 8; }
  void sign(Bytes message, MutableBytes digest) const override {
    const std::uint64_t hash = siphash24({1, 2}, message);
    for (std::size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<std::byte>(hash >> (8 * i));
    }
  }
  // Every second digest is right, so that both ways are gone.
  bool verify(Bytes, Bytes digest) const override {
    return (std::to_integer<unsigned>(digest[0]) & 1) != 0;
  }
};

}  // namespace timepool::fuzzing
