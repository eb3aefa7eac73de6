#include "ntpd/source_settings.h"

namespace timepool::ntpd {
namespace {

ntp::FamilyChoice family_of(config::AddressFamily family) {
  switch (family) {
    case config::AddressFamily::kV4:
      return ntp::FamilyChoice::kV4;
    case config::AddressFamily::kV6:
      return ntp::FamilyChoice::kV6;
    case config::AddressFamily::kBoth:
      break;
  }
  return ntp::FamilyChoice::kBoth;
}

ntp::ServerLookup lookup_of(config::NtsUse use) {
  switch (use) {
    case config::NtsUse::kSrv:
      return ntp::ServerLookup::kServices;
    case config::NtsUse::kAuto:
      return ntp::ServerLookup::kEither;
    default:
      return ntp::ServerLookup::kAddresses;
  }
}

ntp::NtsSettings nts_settings(const config::NtpSourceConfig& config) {
  ntp::NtsSettings out;
  out.required = true;
  out.port = config.nts_port;
  out.certificate_name = config.nts_name;
  out.ca_files = config.nts_ca;
  out.pins = config.nts_pins;
  out.aeads = config.nts_aeads;
  out.lookup = lookup_of(config.nts);
  out.trust = config.srv_trust == config::SrvTrust::kDnssec ? ntp::ServiceTrust::kSecure
                                                            : ntp::ServiceTrust::kSecureOrSuffix;
  out.suffix = config.srv_suffix;
  return out;
}

}  // namespace

ntp::SourceConfig source_config(const config::NtpSourceConfig& config, ntp::SourceKind kind) {
  ntp::SourceConfig out;
  out.kind = kind;
  out.name = config.address;
  out.port = config.port;
  out.family = family_of(config.family);
  out.poll = {static_cast<std::int8_t>(config.minpoll), static_cast<std::int8_t>(config.maxpoll),
              config.iburst};
  out.poll.burst = config.burst;
  out.poll.online = config.online;
  if (config.presend) out.poll.presend = static_cast<std::int8_t>(*config.presend);
  out.interleaved = config.interleaved;
  out.key = config.key;
  const bool nts = config.nts != config::NtsUse::kOff;
  out.authenticated = config.key != 0 || nts;
  if (nts) out.nts = nts_settings(config);
  out.version = static_cast<std::uint8_t>(config.version);
  out.select = {config.prefer, config.trust, config.require, config.noselect};
  out.max_delay = config.max_delay;
  out.filter = {config.max_delay_ratio, config.max_delay_dev_ratio, config.max_delay_quantile,
                static_cast<std::size_t>(config.filter)};
  out.min_samples = static_cast<std::size_t>(config.min_samples);
  out.max_samples = static_cast<std::size_t>(config.max_samples);
  out.max_addresses = static_cast<std::size_t>(config.max_addresses);
  out.initial_failover_retry_limit =
      static_cast<std::uint32_t>(config.initial_failover_retry_limit);
  out.server_failure_retry_limit = static_cast<std::uint32_t>(config.server_failure_retry_limit);
  out.resolve_min = config.resolve_min;
  out.resolve_max = config.resolve_max;
  out.resolve_refresh = config.resolve_refresh;
  return out;
}

ntp::SourceConfig source_config(const config::NtpPeerConfig& config) {
  ntp::SourceConfig out;
  out.kind = ntp::SourceKind::kPeer;
  out.name = config.address;
  out.port = config.port;
  // B34: and no bursts, which would be more than the interval allows.
  out.key = config.key;
  out.authenticated = true;
  out.poll = {static_cast<std::int8_t>(config.minpoll), static_cast<std::int8_t>(config.maxpoll),
              false};
  out.poll.online = config.online;
  out.version = static_cast<std::uint8_t>(config.version);
  out.select = {config.prefer, config.trust, config.require, config.noselect};
  out.max_delay = config.max_delay;
  return out;
}

ntp::SourceConfig source_config(const config::NtpBroadcastClientConfig& config) {
  // Between two exchanges with a server: how fast the clocks run apart is known from broadcasts.
  constexpr std::int8_t kExchangePoll = 10;
  ntp::SourceConfig out;
  out.kind = ntp::SourceKind::kBroadcast;
  out.name = name_of(config);
  out.port = config.port;
  // B33.
  out.key = config.key;
  out.authenticated = true;
  out.broadcast = {config.from, config.delay};
  out.max_addresses = static_cast<std::size_t>(config.max_servers);
  out.poll = {kExchangePoll, kExchangePoll, true};
  out.select = {config.prefer, config.trust, config.require, config.noselect};
  return out;
}

std::vector<ntp::SourceConfig> configured_sources(const config::NtpSourcesConfig& config,
                                                  const config::NtpSourceFile& files) {
  std::vector<ntp::SourceConfig> out;
  for (const auto* servers : {&config.servers, &files.servers}) {
    for (const auto& it : *servers) out.push_back(source_config(it, ntp::SourceKind::kServer));
  }
  for (const auto* pools : {&config.pools, &files.pools}) {
    for (const auto& it : *pools) out.push_back(source_config(it, ntp::SourceKind::kPool));
  }
  return out;
}

std::size_t most_servers(const std::vector<ntp::SourceConfig>& sources) {
  std::size_t out = 0;
  for (const ntp::SourceConfig& source : sources) {
    const bool pool = source.kind == ntp::SourceKind::kPool;
    out += source.max_addresses > 0 ? source.max_addresses : pool ? ntp::kDefaultPoolAddresses : 1;
  }
  return out;
}

}  // namespace timepool::ntpd
