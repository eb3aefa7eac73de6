#include "up/config_files.h"

#include "config/dnsd.h"
#include "config/monitord.h"
#include "config/ntpd.h"
#include "config/poold.h"

namespace timepool::up {
namespace {

using config::DnsdConfig;
using config::MonitordConfig;
using config::NtpdConfig;
using config::PooldConfig;

// Sanity servers of each monitor: two of five may fail (monitord/sanity.h).
constexpr std::size_t kSanityServers = 5;
constexpr std::uint32_t kTtl = 5;
// Pebble has no name of its own for CAA records, and does not look at them.
constexpr const char* kAuthority = "pebble.test";
// The word by which manager and monitors know which roots count.
constexpr const char* kTrust = "up";

void add_member(NtpdConfig& config, const Plan& plan, const PlannedServer& server) {
  config.nts.server.emplace();
  config.nts.server->listen = {{server.address, plan.nts->key_port}};
  config::NtsAcmeAuthorityConfig authority;
  authority.directory = plan.nts->directory_url();
  authority.ca_file = plan.authority_file();
  config.nts.acme.emplace();
  config.nts.acme->authorities = {authority};
  config.nts.acme->names = {plan.nts_name_of(server)};
  config.nts.acme->agree_to_terms = true;
  config.nts.acme->http_listen = {{server.address, plan.nts->challenge_port}};
  config.nts.acme->store = plan.path("acme-" + server.nts_name);
}

}  // namespace

std::string poold_toml(const Plan& plan) {
  PooldConfig config;
  config.http.listen = {plan.http};
  config.store.path = plan.path("pool.db");
  config.admin.token_file = plan.path("admin.token");
  config.servers.allow_private = true;
  config.monitors.check_interval = kCheckInterval;
  config.monitors.bad_interval = kCheckInterval * 2;
  config.monitors.batch = 200;
  config.monitors.ntp_port = plan.ntp_port;
  config.publish.min_interval = Duration::milliseconds(500);
  config.publish.key_file = plan.path("snapshot.key");
  if (plan.geoip) config.geoip.files = {*plan.geoip};
  if (plan.nts) {
    config.nts.authorities = {kAuthority};
    config.nts.methods = {"http-01"};
    config.nts.ttl = kTtl;
    config.nts.trust = kTrust;
  }
  config.zones.name = plan.zone;
  config.zones.name_servers = {"ns1." + plan.zone};
  config.zones.hosts = {{"ns1", {plan.dns.address}}};
  config.zones.ttl = kTtl;
  return config::print_config(config::poold_schema(), config);
}

std::string ntpd_toml(const Plan& plan, const PlannedServer& server) {
  NtpdConfig config;
  config.server.emplace();
  config.server->listen = {{server.address, plan.ntp_port}};
  config.server->local.emplace();
  config.server->local->stratum = 2;
  config.server->test.offset = server.lie;
  if (!server.nts_name.empty()) add_member(config, plan, server);
  config.control.socket = plan.socket_of(server.name);
  return config::print_config(config::ntpd_schema(), config);
}

std::string client_toml(const Plan& plan) {
  NtpdConfig config;
  config::NtpSourceConfig pool;
  pool.address = plan.zone;
  pool.port = plan.ntp_port;
  pool.iburst = true;
  pool.minpoll = 1;
  pool.maxpoll = 3;
  config.sources.pools = {pool};
  config.resolver.servers = {plan.dns};
  config.control.socket = plan.socket_of("ntpd-client");
  return config::print_config(config::ntpd_schema(), config);
}

std::string nts_client_toml(const Plan& plan) {
  NtpdConfig config;
  config::NtpSourceConfig pool;
  pool.address = plan.zone;
  pool.nts = config::NtsUse::kSrv;
  pool.nts_ca = {plan.roots_file()};
  pool.iburst = true;
  pool.minpoll = 1;
  pool.maxpoll = 3;
  config.sources.pools = {pool};
  config.nts.srv.emplace();
  config.nts.srv->trust_anchors = {plan.anchor_file()};
  config.nts.srv->servers = {plan.dns};
  config.control.socket = plan.socket_of("ntpd-nts-client");
  return config::print_config(config::ntpd_schema(), config);
}

std::string monitord_toml(const Plan& plan, int number) {
  const std::string name = monitor_name(number);
  MonitordConfig config;
  config.manager.url = plan.http_url();
  config.manager.token_file = plan.path(name + ".token");
  config.manager.wait = Duration::seconds(20);
  config.manager.retry_min = Duration::milliseconds(200);
  config.manager.retry_max = Duration::seconds(3);
  config.probe.max_parallel = 256;
  config.probe.spacing = Duration::milliseconds(100);
  config.probe.timeout = Duration::milliseconds(700);
  config.sanity.mode = MonitordConfig::SanityMode::kServers;
  for (const PlannedServer& server : plan.servers) {
    if (server.role != Role::kGood || config.sanity.servers.size() == kSanityServers) continue;
    config.sanity.servers.push_back({server.address, plan.ntp_port});
  }
  config.sanity.interval = Duration::seconds(10);
  if (plan.nts) {
    config.nts.trust = {{kTrust, plan.roots_file()}};
    config.nts.resolvers = {plan.dns};
  }
  config.report.interval = Duration::milliseconds(250);
  config.spool.directory = plan.path("spool-" + name);
  config.control.socket = plan.socket_of(name);
  return config::print_config(config::monitord_schema(), config);
}

std::string dnsd_toml(const Plan& plan, const std::string& public_key_hex) {
  DnsdConfig config;
  config.server.listen = {plan.dns};
  config.server.identity = "timepool-up";
  if (plan.geoip) config.geoip.files = {*plan.geoip};
  config.snapshot.urls = {plan.http_url()};
  config.snapshot.public_keys = {public_key_hex};
  config.snapshot.directory = plan.path("snapshots");
  config.snapshot.wait = Duration::seconds(20);
  config.snapshot.retry_max = Duration::seconds(2);
  if (plan.nts) {
    config.dnssec.directory = plan.path("dnssec");
    config.dnssec.zones.emplace_back().name = plan.zone;
  }
  config.control.socket = plan.socket_of("dnsd");
  return config::print_config(config::dnsd_schema(), config);
}

}  // namespace timepool::up
