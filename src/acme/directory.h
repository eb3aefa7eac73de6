// What an authority's directory says (RFC 8555 7.1.1): where its resources are, what it wants.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "acme/fault.h"
#include "base/result.h"

namespace timepool::acme {

struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string key_change;    // "" where there is none
  std::string revoke_cert;   // "" where there is none
  std::string renewal_info;  // RFC 9773 3; "" where there is none
  std::string terms_of_service;
  bool external_account_required = false;
  // Name to what it says of itself; empty where the authority has none.
  std::map<std::string, std::string> profiles;

  static constexpr std::size_t kMaxProfiles = 64;
  // Octets of a profile's name and of what it says; longer ones are left out.
  static constexpr std::size_t kMaxText = 1024;
};

// Errors: kRubbish when it is no JSON object, or new_nonce, new_account or new_order is no https
// URL. Other members that are not as they should be count as absent.
Result<Directory, FailureKind> parse_directory(std::string_view body);

}  // namespace timepool::acme
