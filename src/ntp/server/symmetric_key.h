// SymmetricKey: one pre-shared key of NTP (RFC 5905 7.3, RFC 8573), and KeyRing: all of them by
// number, as the workers of the server and the client's associations see them. Immutable: any
// number of threads may use one.
//
// How long a MAC is: that of version 4 has at most 20 octets of digest, longer ones are cut off, so
// that it can't be taken for an extension field (RFC 7822); chrony sends it whole in version 3 and
// below, ntpd cuts it off there too. Both lengths are taken in any version, and answered by the
// same.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ip.h"
#include "base/mac.h"

namespace timepool::ntp {

// 1 to 4294967295, as in chrony; ntpd and NTPsec go up to 65535. 0 is no key.
using KeyId = std::uint32_t;

// RFC 7822 7.5.1.4: the longest digest in version 4.
inline constexpr std::size_t kMaxShortDigest = 20;

class SymmetricKey {
 public:
  // `generation` tells two keys of one number apart; `allowed` empty: anybody may use it. CHECKs
  // that id is not 0 and mac is there.
  SymmetricKey(KeyId id, MacType type, std::uint64_t generation, std::vector<Prefix> allowed,
               std::unique_ptr<const Mac> mac);

  KeyId id() const { return id_; }
  MacType type() const { return type_; }
  std::uint64_t generation() const { return generation_; }
  // Whether the other side may be at this address.
  bool allows(const IpAddress& address) const;
  // Octets of the digest in a packet that we begin.
  std::size_t digest_size(std::uint8_t version) const;
  // `digest` is that of `message` by this key, whole or cut off at kMaxShortDigest.
  bool verify(Bytes message, Bytes digest) const;
  // Fills `digest`, of one of those two lengths (CHECKed).
  void sign(Bytes message, MutableBytes digest) const;

 private:
  bool is_length(std::size_t digest) const;

  KeyId id_;
  MacType type_;
  std::uint64_t generation_;
  std::vector<Prefix> allowed_;
  std::unique_ptr<const Mac> mac_;
};

enum class MacVerdict : std::uint8_t {
  kAuthentic,
  kUnknownKey,
  kNotAllowed,  // the key's address list does not have the sender
  kBadDigest,
};
// "authentic", "unknown_key", ...
std::string_view name_of(MacVerdict verdict);

class KeyRing {
 public:
  KeyRing() = default;
  // CHECKs that no number is there twice.
  explicit KeyRing(std::vector<std::shared_ptr<const SymmetricKey>> keys);

  // By number; nullptr when there is none.
  const SymmetricKey* find(KeyId id) const;
  // The same for who keeps it longer than the ring.
  std::shared_ptr<const SymmetricKey> share(KeyId id) const;
  // In the order of their numbers.
  std::span<const std::shared_ptr<const SymmetricKey>> keys() const { return keys_; }

  // Whether `digest` proves that `message` comes from who has key `id` and is at `from`.
  MacVerdict verify(KeyId id, Bytes message, Bytes digest, const IpAddress& from) const;
  // Fills `digest` for `message`. False when there is no such key or it has no digest of that
  // length.
  bool sign(KeyId id, Bytes message, MutableBytes digest) const;

 private:
  std::vector<std::shared_ptr<const SymmetricKey>> keys_;
  // Their numbers, so that a search stays within few cache lines.
  std::vector<KeyId> ids_;
};

}  // namespace timepool::ntp
