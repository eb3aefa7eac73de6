#include "certificates/account_key.h"

#include <span>

#include "acme/base64url.h"
#include "crypto/digest.h"

namespace timepool::certificates {
namespace {

// RFC 7638 3.2: crv, kty, x, y.
std::string jwk_of(Bytes point) {
  constexpr std::size_t kHalf = crypto::JwsKey::kHalf;
  return R"({"crv":"P-256","kty":"EC","x":")" + acme::to_base64url(point.first(kHalf)) +
         R"(","y":")" + acme::to_base64url(point.subspan(kHalf)) + "\"}";
}

}  // namespace

AccountKey::AccountKey(crypto::JwsKey key) : key_(std::move(key)), jwk_(jwk_of(key_.point())) {
  thumbprint_ =
      acme::to_base64url(crypto::sha256(std::as_bytes(std::span(jwk_.data(), jwk_.size()))));
}

Result<std::unique_ptr<AccountKey>> AccountKey::generate() {
  return std::make_unique<AccountKey>(TRY(crypto::JwsKey::generate()));
}

Result<std::unique_ptr<AccountKey>> AccountKey::load(const std::string& path) {
  return std::make_unique<AccountKey>(TRY(crypto::JwsKey::load(path)));
}

Result<std::unique_ptr<AccountKey>> AccountKey::load_or_make(const std::string& path) {
  auto loaded = load(path);
  if (loaded.ok() || loaded.error().code != ErrorCode::kNotFound) return loaded;
  auto made = TRY(generate());
  TRY(made->save(path));
  return made;
}

Result<std::unique_ptr<ExternalKey>> ExternalKey::parse(crypto::JwsMac mac,
                                                        std::string_view secret) {
  while (secret.ends_with('=')) secret.remove_suffix(1);
  auto octets = acme::from_base64url(secret);
  if (!octets || octets->empty() || octets->size() > kMaxSecret) {
    return fail(Error{ErrorCode::kInvalid, "key of the external account",
                      "it is no base64url of 1 to 1024 octets"});
  }
  return std::unique_ptr<ExternalKey>(new ExternalKey(mac, std::move(*octets)));
}

ExternalKey::~ExternalKey() {
  crypto::wipe(secret_);
}

}  // namespace timepool::certificates
