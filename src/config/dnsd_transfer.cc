#include "config/dnsd_transfer.h"

#include <algorithm>

#include "base/hex.h"

namespace timepool::config {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kMaxKeys = 256;
constexpr std::size_t kMaxRules = 256;
constexpr std::size_t kMaxPrefixes = 1024;
constexpr std::size_t kMaxZones = 10'000;
// RFC 8945 6: a secret is as long as the digest at the least; less than half of it is no secret.
constexpr std::size_t kMinSecret = 16;

Schema<DnsdTransferKey> key_schema() {
  using Key = DnsdTransferKey;
  Schema<Key> out;
  out.required("name", &Key::name, domain_name(),
               "The key's name, the same on both sides: \"ns2.example\".")
      .field("algorithm", &Key::algorithm,
             one_of<TsigAlgorithm>({{"hmac-sha256", TsigAlgorithm::kHmacSha256},
                                    {"hmac-sha512", TsigAlgorithm::kHmacSha512}}),
             "The digest.")
      .required("secret", &Key::secret, text(1024),
                "16 octets or more in base64, as `tsig-keygen` and `keymgr -t` print them. Whoever "
                "reads this file knows it.")
      .check([](const Key& it) -> std::string {
        const auto secret = from_base64(it.secret);
        if (secret.ok() && secret->size() >= kMinSecret) return {};
        return "secret: must be " + std::to_string(kMinSecret) + " octets or more in base64";
      });
  return out;
}

Schema<DnsdTransferAllow> allow_schema() {
  using Allow = DnsdTransferAllow;
  Schema<Allow> out;
  out.required("prefixes", &Allow::prefixes, list_of(prefix(), kMaxPrefixes),
               "The addresses that may ask.")
      .field("key", &Allow::key, text(255),
             "The name of the key that requests must be proved with. Empty: none is needed.")
      .field("zones", &Allow::zones, list_of(domain_name(), kMaxZones),
             "The zones that they may have. Empty: all.");
  return out;
}

Schema<DnsdTransferNotify> notify_schema() {
  using Notify = DnsdTransferNotify;
  Schema<Notify> out;
  out.required("address", &Notify::address, endpoint(kDnsPort), "The server that is told.")
      .field("key", &Notify::key, text(255),
             "The name of the key that notices are proved with. Empty: none.")
      .field("zones", &Notify::zones, list_of(domain_name(), kMaxZones),
             "The zones of which it is told. Empty: all.");
  return out;
}

std::string fault_of(const DnsdTransferConfig& it) {
  std::vector<std::string> names;
  for (const DnsdTransferKey& key : it.keys) {
    if (std::find(names.begin(), names.end(), key.name) != names.end()) {
      return "key: \"" + key.name + "\" is there twice";
    }
    names.push_back(key.name);
  }
  const auto known = [&names](const std::string& key) {
    return key.empty() || std::find(names.begin(), names.end(), key) != names.end();
  };
  for (const DnsdTransferAllow& rule : it.allow) {
    if (!known(rule.key)) return "allow: there is no key \"" + rule.key + "\"";
  }
  for (const DnsdTransferNotify& target : it.notify) {
    if (!known(target.key)) return "notify: there is no key \"" + target.key + "\"";
  }
  return {};
}

}  // namespace

Schema<DnsdTransferConfig> dnsd_transfer_schema() {
  using Transfer = DnsdTransferConfig;
  Schema<Transfer> out;
  out.field(
         "journal", &Transfer::journal, text(4000),
         "A directory where it is kept what other servers copied last, so that serials go on over "
         "a restart and those servers need not copy whole zones again. Made when it is not "
         "there. Needed where zones are signed. Empty: that is forgotten.")
      .tables("key", &Transfer::keys, key_schema(),
              "A key shared with another server (TSIG, RFC 8945). Any query may be proved with it.",
              kMaxKeys)
      .tables("allow", &Transfer::allow, allow_schema(),
              "Who may copy zones (AXFR and IXFR by TCP). Without such a table: nobody.", kMaxRules)
      .tables("notify", &Transfer::notify, notify_schema(),
              "A server that is told when a zone changes (RFC 1996), until it answers.", kMaxRules)
      .check([](const Transfer& it) { return fault_of(it); });
  return out;
}

}  // namespace timepool::config
