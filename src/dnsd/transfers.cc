#include "dnsd/transfers.h"

#include <algorithm>

#include "base/hex.h"
#include "crypto/hmac.h"

namespace timepool::dnsd {
namespace {

using wire::dns::DnsName;

dns::TsigKey make_key(const config::DnsdTransferKey& from) {
  const bool sha256 = from.algorithm == config::TsigAlgorithm::kHmacSha256;
  const auto secret = from_base64(from.secret).value();
  const auto hash = sha256 ? crypto::HmacHash::kSha256 : crypto::HmacHash::kSha512;
  return {from.name, DnsName::from_text(from.name).value(),
          DnsName::from_text(sha256 ? "hmac-sha256." : "hmac-sha512.").value(),
          crypto::make_hmac(hash, secret)};
}

}  // namespace

std::string_view name_of(TransferEnd end) {
  constexpr std::array<std::string_view, kTransferEnds> kNames{"axfr", "ixfr", "ixfr_whole",
                                                               "ixfr_current", "refused"};
  return kNames[static_cast<std::size_t>(end)];
}

std::string zone_key(wire::dns::NameView name) {
  const DnsName lower = wire::dns::lowered(name);
  const Bytes wire = lower.wire();
  return {reinterpret_cast<const char*>(wire.data()), wire.size()};
}

const dns::TsigKey* TransferRules::find_key(std::string_view title) const {
  const auto at = std::find_if(keys.begin(), keys.end(),
                               [title](const dns::TsigKey& key) { return key.title == title; });
  return at == keys.end() ? nullptr : &*at;
}

std::shared_ptr<const TransferRules> TransferRules::make(const config::DnsdTransferConfig& config) {
  auto out = std::make_shared<TransferRules>();
  for (const auto& key : config.keys) out->keys.push_back(make_key(key));
  for (const auto& from : config.allow) {
    Allow rule{from.prefixes, out->find_key(from.key), {}};
    for (const std::string& zone : from.zones) {
      rule.zones.insert(zone_key(DnsName::from_text(zone).value()));
    }
    out->allow.push_back(std::move(rule));
  }
  return out;
}

bool TransferRules::allows(const IpAddress& client, const dns::TsigKey* key,
                           const std::string& zone) const {
  return std::any_of(allow.begin(), allow.end(), [&](const Allow& rule) {
    if (rule.key != nullptr && rule.key != key) return false;
    if (!rule.zones.empty() && !rule.zones.contains(zone)) return false;
    return std::any_of(rule.prefixes.begin(), rule.prefixes.end(),
                       [&client](const Prefix& prefix) { return prefix.contains(client); });
  });
}

}  // namespace timepool::dnsd
