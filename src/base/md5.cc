#include "base/md5.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace timepool {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kLengthBytes = 8;
// RFC 1321 3.4: the rotations of the four rounds.
constexpr int kRotations[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

using State = std::array<std::uint32_t, 4>;

// RFC 1321 3.4: T[i] is the integer part of 2^32 times the sine's magnitude at i radians.
std::array<std::uint32_t, 64> sine_table() {
  std::array<std::uint32_t, 64> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double sine = std::fabs(std::sin(static_cast<double>(i + 1)));
    out[i] = static_cast<std::uint32_t>(sine * 4294967296.0);
  }
  return out;
}

std::uint32_t mix(std::size_t round, const State& s) {
  switch (round) {
    case 0:
      return (s[1] & s[2]) | (~s[1] & s[3]);
    case 1:
      return (s[1] & s[3]) | (s[2] & ~s[3]);
    case 2:
      return s[1] ^ s[2] ^ s[3];
    default:
      return s[2] ^ (s[1] | ~s[3]);
  }
}

std::size_t word_of(std::size_t round, std::size_t i) {
  constexpr std::size_t kFactor[] = {1, 5, 3, 7};
  constexpr std::size_t kStart[] = {0, 1, 5, 0};
  return (kStart[round] + kFactor[round] * i) % 16;
}

std::uint32_t little_endian(Bytes bytes) {
  std::uint32_t out = 0;
  for (std::size_t i = 4; i-- > 0;) out = out << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return out;
}

void take_block(Bytes block, const std::array<std::uint32_t, 64>& sines, State& state) {
  State s = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::size_t round = i / 16;
    const std::uint32_t word = little_endian(block.subspan(4 * word_of(round, i), 4));
    const std::uint32_t sum = s[0] + mix(round, s) + word + sines[i];
    s = {s[3], s[1] + std::rotl(sum, kRotations[round][i % 4]), s[1], s[2]};
  }
  for (std::size_t i = 0; i < 4; ++i) state[i] += s[i];
}

}  // namespace

std::array<std::byte, 16> md5(Bytes data) {
  // RFC 1321 3.1, 3.2: a one bit, zeros, and the length in bits in eight octets.
  std::vector<std::byte> padded(data.begin(), data.end());
  padded.push_back(std::byte{0x80});
  while (padded.size() % kBlock != kBlock - kLengthBytes) padded.push_back(std::byte{0});
  const std::uint64_t bits = std::uint64_t{data.size()} * 8;
  for (unsigned i = 0; i < kLengthBytes; ++i) {
    padded.push_back(static_cast<std::byte>(bits >> (8 * i)));
  }
  const std::array<std::uint32_t, 64> sines = sine_table();
  State state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  for (std::size_t at = 0; at < padded.size(); at += kBlock) {
    take_block(Bytes(padded).subspan(at, kBlock), sines, state);
  }
  std::array<std::byte, 16> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>(state[i / 4] >> (8 * (i % 4)));
  }
  return out;
}

}  // namespace timepool
