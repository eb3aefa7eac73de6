#include "ntpd/acme_settings.h"

#include <string_view>
#include <utility>

#include "acme/resources.h"
#include "ntpd/clock_record.h"
#include "sys/secret_file.h"
#include "sys/version.h"

namespace timepool::ntpd {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;

crypto::JwsMac mac_of(config::AcmeMac mac) {
  switch (mac) {
    case config::AcmeMac::kHs256:
      return crypto::JwsMac::kHs256;
    case config::AcmeMac::kHs384:
      return crypto::JwsMac::kHs384;
    case config::AcmeMac::kHs512:
      break;
  }
  return crypto::JwsMac::kHs512;
}

// The file's first word: editors end files with a line feed.
std::string first_word(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  const std::size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
  return std::string(text.substr(begin, end - begin));
}

Result<certificates::AuthoritySettings> authority_of(const config::NtsAcmeAuthorityConfig& it) {
  certificates::AuthoritySettings out;
  out.directory = it.directory;
  out.ca_file = it.ca_file;
  out.profile = it.profile;
  out.profile_required = it.profile_required;
  out.preferred_chain = it.preferred_chain;
  if (it.external_key_id.empty()) return out;
  out.external_key_id = it.external_key_id;
  out.external_mac = mac_of(it.external_mac);
  out.external_secret = first_word(TRY(sys::read_secret_file(it.external_key_file, kMaxKeyFile)));
  TRY(certificates::ExternalKey::parse(out.external_mac, out.external_secret));
  return out;
}

acme::ChallengeType type_of(config::AcmeChallenge challenge) {
  return challenge == config::AcmeChallenge::kHttp01 ? acme::ChallengeType::kHttp01
                                                     : acme::ChallengeType::kTlsAlpn01;
}

}  // namespace

std::string acme_store(const config::NtpdConfig& config) {
  if (!config.nts.acme) return {};
  if (!config.nts.acme->store.empty()) return config.nts.acme->store;
  const std::string state = state_directory(config.state_directory);
  return state.empty() ? std::string() : state + "/acme";
}

Result<certificates::KeeperSettings> acme_settings(const config::NtsAcmeConfig& config,
                                                   const std::string& store) {
  certificates::KeeperSettings out;
  out.path = store;
  for (const config::NtsAcmeAuthorityConfig& it : config.all_authorities()) {
    auto authority = authority_of(it);
    if (!authority.ok()) {
      Error error = authority.error();
      error.operation = "[nts.acme] external_key_file: " + error.operation;
      return fail(std::move(error));
    }
    out.authorities.push_back(std::move(authority).value());
  }
  for (const std::string& name : config.names) {
    if (acme::identifier_of(name).ok()) continue;
    return fail(Error{ErrorCode::kInvalid, "[nts.acme] name",
                      "\"" + name + "\" is neither a host name nor an address"});
  }
  out.names = config.names;
  out.contacts = config.contacts;
  out.terms_agreed = config.agree_to_terms;
  out.challenges.clear();
  for (const config::AcmeChallenge it : config.challenges) out.challenges.push_back(type_of(it));
  out.user_agent = "timepool-ntpd/" + std::string(sys::version());
  return out;
}

}  // namespace timepool::ntpd
