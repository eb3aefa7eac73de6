// For tests alone: keys whose signatures are a hash that anyone can repeat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/siphash.h"
#include "dnssec/zone_keys.h"

namespace timepool::dnssec::testing {

class HashSigner final : public Signer {
 public:
  explicit HashSigner(std::uint64_t key) : key_(key) {}
  bool sign(Bytes data, std::span<std::byte, kSignatureSize> out) const override {
    ++signatures;
    if (broken) return false;
    const std::uint64_t hash = siphash24({key_, 0}, data);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::byte>(hash >> (i % 8 * 8) & 0xff);
    }
    return true;
  }
  mutable std::uint64_t signatures = 0;
  bool broken = false;

 private:
  std::uint64_t key_;
};

inline ZoneKey hash_key(std::uint64_t key, bool signs_keys, bool signs_data) {
  ZoneKey out;
  out.public_key.assign(64, static_cast<std::byte>(key));
  out.signs_keys = signs_keys;
  out.signs_data = signs_data;
  if (signs_keys) out.flags |= kEntryPointFlag;
  out.tag = key_tag(out);
  out.signer = std::make_shared<HashSigner>(key);
  return out;
}

// A key that signs the keys and one for all else.
inline ZoneKeys hash_keys(std::uint64_t zsk = 2) {
  ZoneKeys out;
  out.keys = {hash_key(1, true, false), hash_key(zsk, false, true)};
  out.cds = {std::vector<std::byte>(36, std::byte{2})};  // SHA-256 of some key
  return out;
}

}  // namespace timepool::dnssec::testing
