// Mac: a message authentication code with its key in it, as the protocols see it. What computes it
// is in src/crypto; the cores that use it are pure. Immutable: any number of threads may use one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/byte_reader.h"
#include "base/byte_writer.h"

namespace timepool {

// RFC 8573: AES-CMAC (RFC 4493). The others are the digest of the key followed by the message
// (RFC 5905 7.3 for MD5), as chrony and ntpd compute them.
enum class MacType : std::uint8_t {
  kMd5,
  kSha1,
  kSha256,
  kSha384,
  kSha512,
  kAes128Cmac,
  kAes256Cmac,
};
inline constexpr std::size_t kMacTypeCount = 7;
// SHA-512's.
inline constexpr std::size_t kMaxMacDigest = 64;

// Octets of the whole digest.
std::size_t digest_size(MacType type);
// Octets that a key must have: 16 or 32 of AES; 0: any number.
std::size_t key_size(MacType type);
// B19: MD5 (RFC 8573) and SHA-1 are for those who can't do better.
bool is_weak(MacType type);
// As key files name them: "MD5", "SHA1", "SHA256", "SHA384", "SHA512", "AES128", "AES256".
std::string_view name_of(MacType type);
// By those names and the others that key files of ntpd and NTPsec have ("SHA", "SHA-256",
// "AES128CMAC", "AES-128", "AES"); either case.
std::optional<MacType> parse_mac_type(std::string_view text);

class Mac {
 public:
  virtual ~Mac() = default;
  // Octets of the whole digest, at most kMaxMacDigest.
  virtual std::size_t size() const = 0;
  // The first digest.size() octets of the message's digest; CHECKs that it has so many.
  virtual void sign(Bytes message, MutableBytes digest) const = 0;
  // Whether these are they. Its time does not tell where they differ. False when `digest` is empty
  // or longer than the whole.
  virtual bool verify(Bytes message, Bytes digest) const = 0;
};

}  // namespace timepool
