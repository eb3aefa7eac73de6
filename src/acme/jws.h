// Requests of ACME, signed: JWS in the flattened JSON form (RFC 8555 6.2), with the key itself in
// the header or the account's URL; the binding to an external account (7.3.4) and the request
// within the request that changes a key (7.3.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "acme/signer.h"

namespace timepool::acme {

// `payload` "" is POST-as-GET (6.3). Nothing when signing fails.
std::optional<std::string> sign_as_account(const Signer& key, std::string_view account_url,
                                           std::string_view nonce, std::string_view url,
                                           std::string_view payload);
// For newAccount: the account is not known yet.
std::optional<std::string> sign_with_key(const AccountKey& key, std::string_view nonce,
                                         std::string_view url, std::string_view payload);
// An account that the authority knows elsewhere: `key` makes the MAC, `key_id` names it to the
// authority; `url` is newAccount's.
std::optional<std::string> bind_external_account(const Signer& mac, std::string_view key_id,
                                                 const AccountKey& key, std::string_view url);
// The inner request of keyChange: signed by the new key, without a nonce.
std::optional<std::string> sign_key_change(const AccountKey& next, std::string_view url,
                                           std::string_view account_url, const AccountKey& old);

}  // namespace timepool::acme
