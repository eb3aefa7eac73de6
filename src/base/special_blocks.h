// The address blocks that are no public servers' or clients' (the IANA special-purpose registries).
// For base/ip.cc and base/public_prefix.cc.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_reader.h"

namespace timepool {

struct Block {
  std::array<std::uint8_t, 16> base;
  int length;
};
// IANA IPv4 and IPv6 special-purpose address registries, and multicast: not globally reachable
// unicast. (192.88.99.0/24 and 2002::/16 are deprecated transition blocks.)
inline constexpr std::array<Block, 18> kSpecialV4{{{{0}, 8},
                                                   {{10}, 8},
                                                   {{100, 64}, 10},
                                                   {{127}, 8},
                                                   {{169, 254}, 16},
                                                   {{172, 16}, 12},
                                                   {{192, 0, 0}, 24},
                                                   {{192, 0, 2}, 24},
                                                   {{192, 31, 196}, 24},
                                                   {{192, 52, 193}, 24},
                                                   {{192, 88, 99}, 24},
                                                   {{192, 168}, 16},
                                                   {{192, 175, 48}, 24},
                                                   {{198, 18}, 15},
                                                   {{198, 51, 100}, 24},
                                                   {{203, 0, 113}, 24},
                                                   {{224}, 4},
                                                   {{240}, 4}}};
inline constexpr Block kGlobalV6{{0x20}, 3};
inline constexpr std::array<Block, 5> kSpecialV6{{{{0x20, 0x01, 0x00}, 23},
                                                  {{0x20, 0x01, 0x0d, 0xb8}, 32},
                                                  {{0x20, 0x02}, 16},
                                                  {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48},
                                                  {{0x3f, 0xff, 0x00}, 20}}};

inline bool in_block(Bytes bytes, const Block& block) {
  const Bytes base = std::as_bytes(std::span(block.base));
  const auto whole = static_cast<std::size_t>(block.length / 8);
  if (!std::equal(base.begin(), base.begin() + static_cast<std::ptrdiff_t>(whole), bytes.begin())) {
    return false;
  }
  if (block.length % 8 == 0) return true;
  const unsigned mask = 0xff00u >> (block.length % 8) & 0xff;
  return (std::to_integer<unsigned>(bytes[whole] ^ base[whole]) & mask) == 0;
}

}  // namespace timepool
