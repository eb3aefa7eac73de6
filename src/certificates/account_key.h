// Keys that sign for the machines of ACME: an account's, kept in a file, and the MAC of an external
// account. Any thread.
#pragma once

#include <memory>
#include <string>

#include "acme/signer.h"
#include "base/result.h"
#include "crypto/jws.h"

namespace timepool::certificates {

class AccountKey final : public acme::AccountKey {
 public:
  explicit AccountKey(crypto::JwsKey key);
  // Errors: those of crypto::JwsKey.
  static Result<std::unique_ptr<AccountKey>> generate();
  static Result<std::unique_ptr<AccountKey>> load(const std::string& path);
  // load(), and where there is no file one is made, durably, before the key is used.
  static Result<std::unique_ptr<AccountKey>> load_or_make(const std::string& path);
  Result<void> save(const std::string& path) const { return key_.save(path); }

  std::string_view algorithm() const override { return "ES256"; }
  std::vector<std::byte> sign(std::string_view text) const override { return key_.sign(text); }
  const std::string& jwk() const override { return jwk_; }
  const std::string& thumbprint() const override { return thumbprint_; }

 private:
  crypto::JwsKey key_;
  std::string jwk_;
  std::string thumbprint_;
};

class ExternalKey final : public acme::Signer {
 public:
  static constexpr std::size_t kMaxSecret = 1024;
  // `secret`: base64url, as authorities give it out (RFC 8555 7.3.4); padding is allowed. Errors:
  // kInvalid.
  static Result<std::unique_ptr<ExternalKey>> parse(crypto::JwsMac mac, std::string_view secret);
  ~ExternalKey() override;

  std::string_view algorithm() const override { return crypto::name_of(mac_); }
  std::vector<std::byte> sign(std::string_view text) const override {
    return crypto::jws_mac(mac_, secret_, text);
  }

 private:
  ExternalKey(crypto::JwsMac mac, std::vector<std::byte> secret)
      : mac_(mac), secret_(std::move(secret)) {}
  crypto::JwsMac mac_;
  std::vector<std::byte> secret_;
};

}  // namespace timepool::certificates
