// Aead: authenticated encryption with associated data (RFC 5116), as NTS uses it (RFC 8915 5). What
// computes it is in src/crypto; the cores that use it are pure. One object is one thread's: it has
// the state of a key, and a server sets another key for every packet without allocating.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/byte_reader.h"
#include "base/byte_writer.h"

namespace timepool {

// The numbers of IANA's registry of AEAD algorithms.
enum class AeadId : std::uint16_t {
  kAesSivCmac256 = 15,  // RFC 5297; RFC 8915 5.1: everybody has it
  kAes128GcmSiv = 30,   // RFC 8452; its cookies are shorter
};
inline constexpr std::size_t kAeadCount = 2;
// Octets of the longest key.
inline constexpr std::size_t kMaxAeadKey = 32;
// Octets by which what is sealed is longer than what it holds: the same for both.
inline constexpr std::size_t kAeadOverhead = 16;

// By its number; nothing for one that is not ours.
std::optional<AeadId> aead_of(std::uint16_t number);
// Octets of a key: 32 or 16.
std::size_t key_size(AeadId id);
// Octets of the nonces that we make: 16 or 12. Those of others: SIV takes any from 1 on, GCM-SIV
// takes these only.
std::size_t nonce_size(AeadId id);
bool is_nonce_size(AeadId id, std::size_t octets);
// "AES-SIV-CMAC-256", "AES-128-GCM-SIV", as IANA's registry has them but for the prefix AEAD_.
std::string_view name_of(AeadId id);

class Aead {
 public:
  virtual ~Aead() = default;
  virtual AeadId id() const = 0;
  // CHECKs that it has key_size(id()) octets. Nothing else may be called before.
  virtual void set_key(Bytes key) = 0;
  // Encrypts. `sealed` has plain.size() + kAeadOverhead octets and nonce is_nonce_size() (both
  // CHECKed); `plain` may be empty, and may lie in `sealed` where its copy will not overlap.
  virtual void seal(Bytes nonce, Bytes associated, Bytes plain, MutableBytes sealed) = 0;
  // Decrypts into `plain`, of sealed.size() - kAeadOverhead octets (CHECKed). False, and `plain` is
  // zeros, when key, nonce, associated data or text are not those that it was sealed with, or the
  // nonce has a size that the algorithm does not take.
  virtual bool open(Bytes nonce, Bytes associated, Bytes sealed, MutableBytes plain) = 0;
};

// Makes them, so that a pure core gets as many as it needs.
class AeadMaker {
 public:
  virtual ~AeadMaker() = default;
  virtual std::unique_ptr<Aead> make(AeadId id) const = 0;
};

}  // namespace timepool
