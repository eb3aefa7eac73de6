#include "config/ntpd_nts_acme.h"

#include <algorithm>

namespace timepool::config {
namespace {

// As acme/saved_state.h and acme/resources.h have them.
constexpr std::size_t kMaxAuthorities = 8;
constexpr std::size_t kMaxNames = 100;
constexpr std::size_t kMaxContacts = 8;

// A list, of which one item may stand alone.
template <class T>
Codec<std::vector<T>> one_or_list(const Codec<T>& item, std::size_t max) {
  const Codec<std::vector<T>> list = list_of(item, max);
  return {item.type + ", or a list of them",
          [item, list](const Value& value, std::vector<T>& out) -> std::string {
            if (value.kind == Value::Kind::kArray) return list.read(value, out);
            T one{};
            std::string wrong = item.read(value, one);
            if (wrong.empty()) out.assign(1, std::move(one));
            return wrong;
          },
          list.write};
}

std::string check_authority(const NtsAcmeAuthorityConfig& it) {
  if (!it.directory.starts_with("https://")) return "directory: expected \"https://...\"";
  if (it.external_key_id.empty() != it.external_key_file.empty()) {
    return "external_key_id and external_key_file: both or neither";
  }
  return it.profile_required && it.profile.empty() ? "profile_required without profile" : "";
}

Schema<NtsAcmeAuthorityConfig> authority_schema() {
  using C = NtsAcmeAuthorityConfig;
  Schema<C> out;
  out.required("directory", &C::directory, http_url(), "The URL of its directory, with https.")
      .field("ca_file", &C::ca_file, text(4000),
             "A PEM file of who may sign the certificate of the authority's own server. An empty "
             "string: the system's.")
      .field("profile", &C::profile, text(64),
             "Which of its kinds of certificate is asked for, if it offers that. An empty string: "
             "its default.")
      .field("profile_required", &C::profile_required, boolean(),
             "Rather no certificate than one of another profile.")
      .field("preferred_chain", &C::preferred_chain, text(256),
             "Of the chains that it offers the one that leads to an authority of this common name, "
             "if there is one.")
      .field("external_key_id", &C::external_key_id, text(1024),
             "The name of your account there, where it wants one (external account binding, RFC "
             "8555 7.3.4).")
      .field("external_key_file", &C::external_key_file, text(4000),
             "A file with that account's key as the authority gave it out, in base64url. It is "
             "refused when others can read it.")
      .field(
          "external_mac", &C::external_mac,
          one_of<AcmeMac>(
              {{"HS256", AcmeMac::kHs256}, {"HS384", AcmeMac::kHs384}, {"HS512", AcmeMac::kHs512}}),
          "What is computed with that key.")
      .check([](const C& it) { return check_authority(it); });
  return out;
}

std::string check_contacts(const NtsAcmeConfig& it) {
  for (const std::string& contact : it.contacts) {
    const std::size_t colon = contact.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == contact.size()) {
      return "contact: expected \"mailto:...\", found \"" + contact + "\"";
    }
  }
  return "";
}

std::string check_acme(const NtsAcmeConfig& it) {
  if (it.directory.empty() && it.authorities.empty()) {
    return "directory: the authority to ask is missing";
  }
  if (!it.directory.empty() && !it.directory.starts_with("https://")) {
    return "directory: expected \"https://...\"";
  }
  std::vector<std::string> directories;
  for (const NtsAcmeAuthorityConfig& one : it.all_authorities()) {
    directories.push_back(one.directory);
  }
  if (directories.size() > kMaxAuthorities) return "authority: 8 at the most, with directory";
  std::sort(directories.begin(), directories.end());
  const auto twice = std::adjacent_find(directories.begin(), directories.end());
  if (twice != directories.end()) return "directory: " + *twice + " is there twice";
  if (it.names.empty()) return "name: one at least";
  if (it.challenges.empty() || it.challenges.size() > 2 ||
      (it.challenges.size() == 2 && it.challenges[0] == it.challenges[1])) {
    return "challenge: each once, and one at least";
  }
  if (!it.webroot.empty() && !it.hook.empty()) return "webroot and hook: one of them";
  if (!it.webroot.empty() && it.has(AcmeChallenge::kTlsAlpn01)) {
    return "webroot: files prove names by \"http-01\" only";
  }
  return check_contacts(it);
}

}  // namespace

std::vector<NtsAcmeAuthorityConfig> NtsAcmeConfig::all_authorities() const {
  std::vector<NtsAcmeAuthorityConfig> out;
  if (!directory.empty()) out.emplace_back().directory = directory;
  out.insert(out.end(), authorities.begin(), authorities.end());
  return out;
}

bool NtsAcmeConfig::has(AcmeChallenge challenge) const {
  return std::find(challenges.begin(), challenges.end(), challenge) != challenges.end();
}

Schema<NtsAcmeConfig> nts_acme_schema() {
  using C = NtsAcmeConfig;
  const Codec<AcmeChallenge> challenge = one_of<AcmeChallenge>(
      {{"http-01", AcmeChallenge::kHttp01}, {"tls-alpn-01", AcmeChallenge::kTlsAlpn01}});
  Schema<C> out;
  out.field("directory", &C::directory, text(2000),
            "The directory of the authority that is asked first, as a URL with https. One of these "
            "or an [[nts.acme.authority]] must be there.")
      .tables("authority", &C::authorities, authority_schema(),
              "A further authority, or one that needs more words: the next one is asked when those "
              "before it have failed six times in a row.",
              kMaxAuthorities)
      .field("name", &C::names, one_or_list(text(253), kMaxNames),
             "The names of this server that the certificate is for. The pool gives one; it must "
             "lead to this machine.")
      .field("contact", &C::contacts, one_or_list(text(320), kMaxContacts),
             "Whom the authority may write to: \"mailto:admin@example.org\".")
      .field("agree_to_terms", &C::agree_to_terms, boolean(),
             "You agree to the terms of the authorities that have some. Without it these give no "
             "account.")
      .field("challenge", &C::challenges, one_or_list(challenge, 2),
             "How the name is proved: over HTTP on port 80, or over TLS on port 443. The first "
             "that the authority offers is taken; after one was not seen the other is tried.")
      .field("http_listen", &C::http_listen, list_of(endpoint(kHttpPort, true), 64),
             "Where \"http-01\" is served. An empty list: every address of the machine, port 80. "
             "Behind a web server that passes /.well-known/acme-challenge/ on with the Host field "
             "as it came: \"127.0.0.1:8080\". It answers nothing but live challenges of its own "
             "names. A change needs a restart.")
      .field("tls_listen", &C::tls_listen, list_of(endpoint(kHttpsPort, true), 64),
             "Where \"tls-alpn-01\" is served. An empty list: every address of the machine, port "
             "443. A change needs a restart.")
      .field(
          "webroot", &C::webroot, text(4000),
          "The directory that a web server on port 80 serves as \"/\": challenges of \"http-01\" "
          "become files in it, and nothing is listened on. A change needs a restart.")
      .field("hook", &C::hook, text(4000),
             "A program that sees to challenges instead: it is run as PROGRAM begin|done|failed "
             "TYPE NAME TOKEN AUTHORIZATION, must end with status 0 when a challenge can be seen, "
             "and is run once more when it need not be seen any longer. It has the rights of the "
             "user that the daemon was started as, without capabilities. A change needs a restart.")
      .field("hook_timeout", &C::hook_timeout,
             duration(Duration::seconds(1), Duration::seconds(3600)),
             "How long that program may take each time.")
      .field("store", &C::store, text(4000),
             "The directory of the account's keys, the certificate and what is known of it, mode "
             "0700. An empty string: acme in the state directory. A change needs a restart.")
      .field(
          "wait_for_clock", &C::wait_for_clock, boolean(),
          "Ask for nothing before the clock was once known to be right, by this daemon's sources "
          "or [server.local]. Without it the system's clock is believed from the start: where "
          "another program keeps it.")
      .check([](const C& it) { return check_acme(it); });
  return out;
}

}  // namespace timepool::config
