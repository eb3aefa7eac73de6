#include "base/sha1.h"

#include <bit>

namespace timepool {
namespace {

constexpr std::size_t kBlock = 64;

std::uint32_t word_at(Bytes block, std::size_t index) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    out = out << 8 | std::to_integer<std::uint32_t>(block[4 * index + i]);
  }
  return out;
}

// FIPS 180-4 4.1.1 and 4.2.1: the function and the constant of round t, of b, c and d.
std::uint32_t round_term(std::size_t t, const Sha1& v) {
  const std::uint32_t b = v[1];
  const std::uint32_t c = v[2];
  const std::uint32_t d = v[3];
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

// FIPS 180-4 6.1.2.
void mix_block(Bytes block, Sha1& hash) {
  std::array<std::uint32_t, 80> w{};
  for (std::size_t t = 0; t < 16; ++t) w[t] = word_at(block, t);
  for (std::size_t t = 16; t < 80; ++t) {
    w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  }
  Sha1 v = hash;
  for (std::size_t t = 0; t < 80; ++t) {
    const std::uint32_t next = std::rotl(v[0], 5) + round_term(t, v) + v[4] + w[t];
    v = {next, v[0], std::rotl(v[1], 30), v[2], v[3]};
  }
  for (std::size_t i = 0; i < hash.size(); ++i) hash[i] += v[i];
}

}  // namespace

Sha1 sha1(Bytes message) {
  Sha1 hash{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  Bytes rest = message;
  for (; rest.size() >= kBlock; rest = rest.subspan(kBlock)) mix_block(rest.first(kBlock), hash);
  // FIPS 180-4 5.1.1: a one bit, zeros, and the length in bits as the last eight octets.
  std::array<std::byte, 2 * kBlock> last{};
  for (std::size_t i = 0; i < rest.size(); ++i) last[i] = rest[i];
  last[rest.size()] = std::byte{0x80};
  const std::size_t padded = rest.size() + 9 <= kBlock ? kBlock : 2 * kBlock;
  const std::uint64_t bits = 8 * static_cast<std::uint64_t>(message.size());
  for (std::size_t i = 0; i < 8; ++i) {
    last[padded - 1 - i] = static_cast<std::byte>(bits >> (8 * i));
  }
  for (std::size_t at = 0; at < padded; at += kBlock) {
    mix_block(Bytes(last).subspan(at, kBlock), hash);
  }
  return hash;
}

}  // namespace timepool
