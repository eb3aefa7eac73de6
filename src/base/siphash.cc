#include "base/siphash.h"

#include <bit>

#include "base/check.h"

namespace timepool {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  // Of SipHash-1-3.
  void absorb_once(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
  std::uint64_t finish_thrice() {
    v2 ^= 0xff;
    for (int i = 0; i < 3; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

State start(const SiphashKey& key) {
  return {key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
          key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
}

// Up to eight bytes, little endian.
std::uint64_t little_endian(Bytes bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    out = out << 8 | std::to_integer<std::uint64_t>(bytes[i - 1]);
  }
  return out;
}

}  // namespace

SiphashKey siphash_key(Bytes bytes) {
  CHECK(bytes.size() == 16);
  return {little_endian(bytes.first(8)), little_endian(bytes.last(8))};
}

std::uint64_t siphash24(const SiphashKey& key, Bytes bytes) {
  State state = start(key);
  const auto length = static_cast<std::uint64_t>(bytes.size());
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) state.absorb(little_endian(bytes.first(8)));
  state.absorb(little_endian(bytes) | length << 56);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::uint64_t siphash13(const SiphashKey& key, std::uint64_t first, std::uint64_t second) {
  State state = start(key);
  constexpr std::uint64_t kLength = std::uint64_t{16} << 56;
  for (const std::uint64_t word : {first, second, kLength}) state.absorb_once(word);
  return state.finish_thrice();
}

SiphashPair siphash13_pair(const SiphashKey& key, std::uint64_t word, std::uint8_t octet) {
  State short_one = start(key);
  short_one.absorb_once(word);
  State long_one = short_one;
  short_one.absorb_once(std::uint64_t{8} << 56);
  long_one.absorb_once(std::uint64_t{9} << 56 | octet);
  return {short_one.finish_thrice(), long_one.finish_thrice()};
}

}  // namespace timepool
