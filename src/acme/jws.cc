#include "acme/jws.h"

#include "acme/base64url.h"
#include "acme/json_fields.h"

namespace timepool::acme {
namespace {

// {"protected":"...","payload":"...","signature":"..."} (RFC 7515 7.2.2).
std::optional<std::string> flattened(const Signer& key, std::string_view header,
                                     std::string_view payload) {
  const std::string head = to_base64url(header);
  const std::string body = to_base64url(payload);
  const std::vector<std::byte> signature = key.sign(head + "." + body);
  if (signature.empty()) return std::nullopt;
  return R"({"protected":")" + head + R"(","payload":")" + body + R"(","signature":")" +
         to_base64url(signature) + "\"}";
}

std::string header_of(const Signer& key, std::string_view who, std::string_view url,
                      std::string_view nonce) {
  std::string out = R"({"alg":)" + quoted(key.algorithm());
  out += ",";
  out += who;
  if (!nonce.empty()) out += R"(,"nonce":)" + quoted(nonce);
  return out + R"(,"url":)" + quoted(url) + "}";
}

}  // namespace

std::optional<std::string> sign_as_account(const Signer& key, std::string_view account_url,
                                           std::string_view nonce, std::string_view url,
                                           std::string_view payload) {
  return flattened(key, header_of(key, R"("kid":)" + quoted(account_url), url, nonce), payload);
}

std::optional<std::string> sign_with_key(const AccountKey& key, std::string_view nonce,
                                         std::string_view url, std::string_view payload) {
  return flattened(key, header_of(key, R"("jwk":)" + key.jwk(), url, nonce), payload);
}

std::optional<std::string> bind_external_account(const Signer& mac, std::string_view key_id,
                                                 const AccountKey& key, std::string_view url) {
  return flattened(mac, header_of(mac, R"("kid":)" + quoted(key_id), url, ""), key.jwk());
}

std::optional<std::string> sign_key_change(const AccountKey& next, std::string_view url,
                                           std::string_view account_url, const AccountKey& old) {
  const std::string payload =
      R"({"account":)" + quoted(account_url) + R"(,"oldKey":)" + old.jwk() + "}";
  return flattened(next, header_of(next, R"("jwk":)" + next.jwk(), url, ""), payload);
}

}  // namespace timepool::acme
