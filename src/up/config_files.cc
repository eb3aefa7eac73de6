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
  config.zones.name = plan.zone;
  config.zones.name_servers = {"ns1." + plan.zone};
  config.zones.hosts = {{"ns1", {plan.dns.address}}};
  config.zones.ttl = 5;
  return config::print_config(config::poold_schema(), config);
}

std::string ntpd_toml(const Plan& plan, const PlannedServer& server) {
  NtpdConfig config;
  config.server.emplace();
  config.server->listen = {{server.address, plan.ntp_port}};
  config.server->local.emplace();
  config.server->local->stratum = 2;
  config.server->test.offset = server.lie;
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
  config.control.socket = plan.socket_of("dnsd");
  return config::print_config(config::dnsd_schema(), config);
}

}  // namespace timepool::up
