#include "ntpd/server_access.h"

#include <net/if.h>

#include <algorithm>

#include "ntp/server/prefix_list.h"
#include "sys/file.h"

namespace timepool::ntpd {
namespace {

Error wrong(std::string detail) {
  return Error{ErrorCode::kInvalid, "[server.access]", std::move(detail)};
}

// `given` and what stands in `files`.
Result<std::vector<Prefix>> gather(const std::vector<Prefix>& given,
                                   const std::vector<std::string>& files) {
  std::vector<Prefix> out = given;
  for (const std::string& file : files) {
    const std::string text = TRY(sys::read_file(file, kMaxPrefixFileBytes));
    const auto list = ntp::parse_prefix_list(text, ntp::PrefixTree::kMaxEntries);
    if (!list.ok()) {
      return fail(wrong(file + ":" + std::to_string(list.error().line) + ": " + list.error().text));
    }
    out.insert(out.end(), list->begin(), list->end());
  }
  return out;
}

Result<std::shared_ptr<const ntp::AccessRules>> compile(const config::NtpAccessRules& config) {
  const std::vector<Prefix> allow = TRY(gather(config.allow, config.allow_files));
  const std::vector<Prefix> deny = TRY(gather(config.deny, config.deny_files));
  // A file of prefixes to serve that holds none is not everybody.
  if (allow.empty() && !config.allow_files.empty()) {
    return fail(wrong("no prefix in allow_files, so that nobody would be served"));
  }
  auto rules = ntp::AccessRules::build(allow, deny);
  if (!rules.ok()) {
    return fail(wrong("more than " + std::to_string(ntp::PrefixTree::kMaxEntries) + " prefixes"));
  }
  return std::shared_ptr<const ntp::AccessRules>(
      std::make_shared<ntp::AccessRules>(std::move(rules).value()));
}

}  // namespace

Result<void> ServerAccess::load(const config::NtpAccessConfig& config) {
  auto general = TRY(compile(config));
  std::vector<Interface> interfaces;
  for (const config::NtpInterfaceAccess& it : config.interfaces) {
    interfaces.push_back({it.name, TRY(compile(it)), 0});
  }
  general_ = std::move(general);
  interfaces_ = std::move(interfaces);
  list_.reset();
  return {};
}

std::shared_ptr<const ntp::AccessList> ServerAccess::list() {
  bool changed = list_ == nullptr;
  for (Interface& it : interfaces_) {
    const std::uint32_t index = ::if_nametoindex(it.name.c_str());
    changed = changed || index != it.index;
    it.index = index;
  }
  if (general_ == nullptr || (general_->size() == 0 && interfaces_.empty())) return nullptr;
  if (!changed) return list_;
  std::vector<ntp::AccessList::Interface> found;
  for (const Interface& it : interfaces_) found.push_back({it.index, it.rules});
  list_ = std::make_shared<ntp::AccessList>(general_, std::move(found));
  return list_;
}

std::size_t ServerAccess::prefixes() const {
  std::size_t out = general_ == nullptr ? 0 : general_->size();
  for (const Interface& it : interfaces_) out += it.rules->size();
  return out;
}

std::vector<std::string> ServerAccess::missing() const {
  std::vector<std::string> out;
  for (const Interface& it : interfaces_) {
    if (it.index == 0) out.push_back(it.name);
  }
  return out;
}

Result<std::vector<Prefix>> audience_of(const config::NtpAccessConfig& config) {
  std::vector<Prefix> out;
  const auto add = [&out](const config::NtpAccessRules& rules) -> Result<void> {
    std::vector<Prefix> allow = TRY(gather(rules.allow, rules.allow_files));
    if (allow.empty()) {
      allow = {Prefix(IpAddress::any(IpFamily::kV4), 0), Prefix(IpAddress::any(IpFamily::kV6), 0)};
    }
    out.insert(out.end(), allow.begin(), allow.end());
    return {};
  };
  TRY(add(config));
  for (const config::NtpInterfaceAccess& it : config.interfaces) TRY(add(it));
  return out;
}

ntp::LimitSettings limit_settings(const config::NtpLimitsConfig& config, unsigned workers) {
  using ntp::Network;
  using timepool::BucketRate;
  const double share = 1.0 / std::max(workers, 1U);
  const auto bucket = [](double rate, std::int64_t burst, double part = 1) {
    return BucketRate::of(rate * part, static_cast<double>(burst) * part);
  };
  ntp::LimitSettings out;
  const auto network = [&out](Network it) -> BucketRate& {
    return out.networks[static_cast<std::size_t>(it)];
  };
  out.enabled = config.enabled;
  out.address = bucket(config.address_rate, config.address_burst);
  network(Network::kV4Of24) = bucket(config.v4_24_rate, config.v4_24_burst);
  network(Network::kV6Of64) = bucket(config.v6_64_rate, config.v6_64_burst);
  network(Network::kV6Of56) = bucket(config.v6_56_rate, config.v6_56_burst);
  network(Network::kV6Of48) = bucket(config.v6_48_rate, config.v6_48_burst);
  out.newcomers = bucket(config.newcomers_rate, config.newcomers_burst, share);
  out.leak = config.leak;
  out.kiss = config.kod;
  if (config.exempt.empty()) return out;
  std::vector<ntp::PrefixTree::Entry> exempt;
  for (const Prefix& prefix : config.exempt) exempt.push_back({prefix, 1});
  // The schema takes far fewer than a tree does.
  out.exempt = std::make_shared<ntp::PrefixTree>(ntp::PrefixTree::build(exempt).value());
  return out;
}

std::size_t clients_of_worker(const config::NtpLimitsConfig& config, unsigned workers) {
  const auto all = static_cast<std::size_t>(config.clients);
  const std::size_t shares = std::max(workers, 1U);
  return (all + shares - 1) / shares;
}

}  // namespace timepool::ntpd
