#include "service/settings.h"

#include <algorithm>

#include "dns/zone/country.h"
#include "pool/country_place.h"

namespace timepool::service {
namespace {

pool::ScoreSettings scoring_of(const config::PooldConfig::Scoring& in) {
  pool::ScoreSettings out;
  out.decay = in.decay;
  out.max_score = in.max_score;
  out.max_step = in.max_step;
  out.no_response_step = in.no_response_step;
  out.rate_step = in.rate_step;
  out.deny_step = in.deny_step;
  out.deny_cap = in.deny_cap;
  out.other_kiss_step = in.other_kiss_step;
  out.other_kiss_cap = in.other_kiss_cap;
  out.error_step = in.error_step;
  out.far_offset_s = in.far_offset_s;
  out.far_offset_step = in.far_offset_step;
  out.far_offset_cap = in.far_offset_cap;
  out.bad_stratum = in.bad_stratum;
  out.bad_stratum_step = in.bad_stratum_step;
  // What no given piece covers has the best step.
  out.offset_pieces.fill({-1, 0, in.max_step});
  const std::size_t pieces = std::min(in.offset_above_s.size(), out.offset_pieces.size() - 1);
  for (std::size_t i = 0; i < pieces; ++i) {
    out.offset_pieces[i] = {in.offset_above_s[i], in.offset_slope[i], in.offset_intercept[i]};
  }
  out.active_window = in.active_window;
  out.testing_window = in.testing_window;
  out.candidate_window = in.candidate_window;
  return out;
}

pool::SelectionSettings selection_of(const config::PooldConfig::Selection& in) {
  pool::SelectionSettings out;
  out.min_servers = in.min_servers;
  out.min_capacity = in.min_capacity;
  out.max_distance_km = in.max_distance_km;
  out.max_server_share = in.max_server_share;
  out.max_network_share = in.max_network_share;
  out.max_account_share = in.max_account_share;
  out.max_asn_share = in.max_asn_share;
  return out;
}

std::vector<pool::Territory> all_territories() {
  std::vector<pool::Territory> out;
  for (const std::string_view country : pool::countries_with_a_place()) {
    const auto continent = dns::continent_of(dns::CountryCode::from_text(country));
    if (continent == dns::Continent::kNone) continue;
    out.push_back({std::string(country), std::string(dns::name_of(continent))});
  }
  return out;
}

pool::ZoneSettings zone_of(const config::PooldConfig::Zones& in) {
  pool::ZoneSettings out;
  out.name = in.name;
  out.ttl = in.ttl;
  out.negative_ttl = in.negative_ttl;
  out.max_hosts = in.max_hosts;
  out.contact = in.contact;
  out.name_servers = in.name_servers;
  for (const auto& host : in.hosts) out.hosts.push_back({host.name, host.addresses});
  out.min_score = in.min_score;
  out.min_per_number = in.min_per_number;
  return out;
}

pool::NtsSettings nts_zone_of(const config::PooldNtsConfig& in) {
  pool::NtsSettings out;
  out.parent = in.parent();
  out.authorities = in.authorities;
  out.methods = in.methods;
  out.ttl = in.ttl;
  out.max_targets = in.max_targets;
  return out;
}

}  // namespace

Settings settings_of(const config::PooldConfig& config) {
  Settings out;
  out.allow_private = config.servers.allow_private;
  out.default_netspeed = config.servers.default_netspeed;
  out.max_netspeed = config.servers.max_netspeed;
  out.check_interval = config.monitors.check_interval;
  out.bad_interval = config.monitors.bad_interval;
  out.bad_score = config.monitors.bad_score;
  out.samples = config.monitors.samples;
  out.batch = config.monitors.batch;
  out.ntp_port = config.monitors.ntp_port;
  out.ticket_lifetime = config.monitors.ticket_lifetime;
  out.answers_kept = config.monitors.answers_kept;
  out.history_kept = config.store.history;
  out.publish_min_interval = config.publish.min_interval;
  out.publish_names_interval = config.publish.names_interval;
  out.scoring = scoring_of(config.scoring);
  out.zone = zone_of(config.zones);
  out.zone.selection = selection_of(config.selection);
  if (config.selection.fill_countries) out.zone.territories = all_territories();
  out.zone.nts = nts_zone_of(config.nts);
  out.reserved_names = config.nts.reserved;
  out.name_reuse_after = config.nts.reuse_after;
  out.nts_trust = config.nts.trust;
  out.nts_max_offset_s = config.nts.max_offset_s;
  out.nts_rules.min_monitors = config.nts.min_monitors;
  out.nts_rules.max_failures = config.nts.max_failures;
  // An opinion counts at least until the next one can be there.
  out.nts_rules.window = std::max(config.nts.window, config.monitors.check_interval * 2);
  return out;
}

}  // namespace timepool::service
