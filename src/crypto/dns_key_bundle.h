// DnsKeyBundle: all keys of a zone and their state as one sealed text, to be carried to another
// server of the zone. It is encrypted and proved by AES-SIV-CMAC-256 (RFC 5297) under a secret of
// 32 octets that both have, so that it may travel by any way.
//
//   timepool dnssec keys 1
//   <base64 of a nonce of 16 octets and of what is sealed>
//
// Inside: "state N\n" and N octets of the state, then "key N\n" and N octets of PEM for each key.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/dns_key_directory.h"

namespace timepool::crypto {

inline constexpr std::size_t kMaxBundleText = 1 << 20;

using BundleSecret = std::array<std::byte, 32>;
// A file of 64 hexadecimal digits, mode 0600. Errors: those of sys::read_secret_file; kCorrupt.
Result<BundleSecret> load_bundle_secret(const std::string& path);

struct DnsKeyBundle {
  dnssec::KeyStateFile state;
  std::vector<std::shared_ptr<const DnsKey>> keys;  // all that are wanted or in use
};

// Of what is on disk. Errors: kNotFound without a state; those of load_key.
Result<DnsKeyBundle> collect_bundle(const DnsKeyDirectory& directory, const std::string& zone);
// Puts it there, the state last. Errors: kExists when what is there is of a later time than the
// bundle; those of save_key and write_state.
Result<void> install_bundle(const DnsKeyDirectory& directory, const DnsKeyBundle& bundle);

// `nonce` is random. Errors: kSystem.
Result<std::string> seal_bundle(const DnsKeyBundle& bundle, const BundleSecret& secret,
                                const std::array<std::byte, 16>& nonce);
// Errors: kCorrupt when it is none; kDenied when the secret is another, or it was changed.
Result<DnsKeyBundle> open_bundle(std::string_view text, const BundleSecret& secret);

}  // namespace timepool::crypto
