// SipHash-2-4 (Aumasson and Bernstein 2012): a keyed hash for tables whose keys a stranger chooses,
// and for DNS cookies (RFC 9018).
#pragma once

#include <array>
#include <cstdint>

#include "base/byte_reader.h"

namespace timepool {

using SiphashKey = std::array<std::uint64_t, 2>;

// The key from 16 bytes, little endian; CHECKs the count.
SiphashKey siphash_key(Bytes bytes);
// The 64-bit hash; its little-endian bytes are the reference implementation's output.
std::uint64_t siphash24(const SiphashKey& key, Bytes bytes);
// SipHash-1-3 of 16 bytes, the two words little endian: for tables on packet paths, whose hashes
// nobody outside sees.
std::uint64_t siphash13(const SiphashKey& key, std::uint64_t first, std::uint64_t second);

// SipHash-1-3 of the 8 bytes of `word`, little endian, and of those and `octet`: the two together
// take a quarter less than each alone.
struct SiphashPair {
  std::uint64_t word = 0;
  std::uint64_t word_and_octet = 0;
};
SiphashPair siphash13_pair(const SiphashKey& key, std::uint64_t word, std::uint8_t octet);

}  // namespace timepool
