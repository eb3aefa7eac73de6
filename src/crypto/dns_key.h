// DnsKey: a key pair that signs a zone's records: P-256 (RFC 6605) by OpenSSL, or Ed25519
// (RFC 8080) by libsodium, which is the faster of the two at it. On disk it is PKCS#8 in PEM
// (RFC 5208, RFC 7468), as other programs write it, mode 0600. Any number of threads may sign with
// one key at once; nothing changes after it is made.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "dnssec/zone_keys.h"

namespace timepool::crypto {

// Octets of the longest file of a key; ours are below 300.
inline constexpr std::size_t kMaxDnsKeyText = 4096;

class DnsKey final : public dnssec::Signer {
 public:
  // Of the library's randomness. Errors: kSystem when it fails.
  static Result<std::shared_ptr<const DnsKey>> generate(dnssec::Algorithm algorithm);
  // Errors: kCorrupt with what is wrong: no PEM, cut off, encrypted, a key of another kind, or
  // damaged so that its public half is not that of its private one.
  static Result<std::shared_ptr<const DnsKey>> parse(std::string_view pem);
  // Errors: those of parse() and of sys::read_secret_file, with the file's name.
  static Result<std::shared_ptr<const DnsKey>> load(const std::string& path);
  // Makes the file, durably; kExists when there is one: a key is never overwritten.
  Result<void> save(const std::string& path) const;
  // The private key, to be wiped by the caller. Errors: kSystem.
  Result<std::string> pem() const;

  ~DnsKey() override;
  DnsKey(const DnsKey&) = delete;
  DnsKey& operator=(const DnsKey&) = delete;

  dnssec::Algorithm algorithm() const { return algorithm_; }
  // As in a DNSKEY's data: x and y of 32 octets each (RFC 6605 4), or 32 octets (RFC 8080 3).
  const std::vector<std::byte>& public_key() const { return public_key_; }
  // P-256: r and s of 32 octets each (RFC 6605 4), others each time; Ed25519: always the same.
  [[nodiscard]] bool sign(Bytes data,
                          std::span<std::byte, dnssec::kSignatureSize> out) const override;

 private:
  struct Private;
  DnsKey(dnssec::Algorithm algorithm, std::vector<std::byte> public_key,
         std::unique_ptr<Private> secret);
  static Result<std::shared_ptr<const DnsKey>> wrap(std::unique_ptr<Private> secret);

  dnssec::Algorithm algorithm_;
  std::vector<std::byte> public_key_;
  std::unique_ptr<Private> private_;
};

// Whether `signature` over `data` is that of the key `public_key`, as a DNSKEY's data has it.
bool verify_dns_signature(dnssec::Algorithm algorithm, Bytes public_key, Bytes data,
                          std::span<const std::byte, dnssec::kSignatureSize> signature);

}  // namespace timepool::crypto
