// What a JWS is signed with (RFC 7518 3): ES256 by a P-256 key that is kept in a file, and the MACs
// HS256, HS384 and HS512. Any number of threads may sign with one key at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace timepool::crypto {

class DnsKey;

class JwsKey {
 public:
  // Octets of x and of y, and of r and of s.
  static constexpr std::size_t kHalf = 32;

  // Errors: kSystem.
  static Result<JwsKey> generate();
  // The file holds PKCS#8 in PEM. Errors: those of sys::read_secret_file; kCorrupt.
  static Result<JwsKey> load(const std::string& path);
  // Makes the file, mode 0600, durably; kExists when there is one.
  Result<void> save(const std::string& path) const;

  // The public key: x and y.
  Bytes point() const;
  // r and s (RFC 7518 3.4), others each time. Empty when the library fails.
  std::vector<std::byte> sign(std::string_view text) const;

 private:
  explicit JwsKey(std::shared_ptr<const DnsKey> key) : key_(std::move(key)) {}
  // The same curve and form of signature as DNSSEC's algorithm 13 (RFC 6605 4).
  std::shared_ptr<const DnsKey> key_;
};

// Whether r and s over `text` are of the key with this point.
bool verify_es256(Bytes point, std::string_view text, Bytes signature);

enum class JwsMac : std::uint8_t { kHs256, kHs384, kHs512 };
// "HS256", ...
std::string_view name_of(JwsMac mac);
std::optional<JwsMac> parse_jws_mac(std::string_view text);
// RFC 7518 3.2: HMAC with SHA-2 of that many bits, whole. Empty when the library fails.
std::vector<std::byte> jws_mac(JwsMac mac, Bytes key, std::string_view text);

}  // namespace timepool::crypto
