// [nts.acme]: how timepool-ntpd gets and renews the certificate of its key establishment (RFC
// 8555).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

// Where authorities look, always (RFC 8555 8.3, RFC 8737 3).
inline constexpr std::uint16_t kHttpPort = 80;
inline constexpr std::uint16_t kHttpsPort = 443;

enum class AcmeMac : std::uint8_t { kHs256, kHs384, kHs512 };
// How a name is proved.
enum class AcmeChallenge : std::uint8_t { kHttp01, kTlsAlpn01 };

// [[nts.acme.authority]]
struct NtsAcmeAuthorityConfig {
  std::string directory;
  std::string ca_file;  // empty: the system's
  std::string profile;
  bool profile_required = false;
  std::string preferred_chain;
  std::string external_key_id;
  std::string external_key_file;
  AcmeMac external_mac = AcmeMac::kHs256;
  bool operator==(const NtsAcmeAuthorityConfig&) const = default;
};

struct NtsAcmeConfig {
  std::string directory;
  std::vector<NtsAcmeAuthorityConfig> authorities;
  std::vector<std::string> names;
  std::vector<std::string> contacts;
  bool agree_to_terms = false;
  std::vector<AcmeChallenge> challenges{AcmeChallenge::kHttp01};
  std::vector<Endpoint> http_listen;  // empty: every address, port 80
  std::vector<Endpoint> tls_listen;   // empty: every address, port 443
  std::string webroot;
  std::string hook;
  Duration hook_timeout = Duration::seconds(60);
  std::string store;  // empty: in the state directory
  bool wait_for_clock = true;
  bool operator==(const NtsAcmeConfig&) const = default;

  // In the order in which they are asked: `directory` is the first.
  std::vector<NtsAcmeAuthorityConfig> all_authorities() const;
  bool has(AcmeChallenge challenge) const;
  // Whether challenges are served by this program.
  bool listens() const { return webroot.empty() && hook.empty(); }
};

Schema<NtsAcmeConfig> nts_acme_schema();

}  // namespace timepool::config
