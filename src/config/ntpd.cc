#include "config/ntpd.h"

#include "config/log_level.h"
#include "config/ntpd_leap.h"
#include "config/ntpd_smear.h"
#include "config/ntpd_source.h"
#include "config/sandbox.h"

namespace timepool::config {
namespace {

Schema<NtpSteeringConfig> steering_schema() {
  Schema<NtpStepConfig> step;
  step.field("threshold", &NtpStepConfig::threshold,
             duration(Duration::microseconds(1), Duration::seconds(1'000'000'000)),
             "A clock that is further off than this may be stepped.")
      .field("limit", &NtpStepConfig::limit, integer64(-1, 1'000'000),
             "In how many of the first updates. 0: never; -1: always.")
      .field("min_sources", &NtpStepConfig::min_sources, integer(1, 64),
             "How many sources must agree on a step (RFC 8633 5.2); [sources] min_sources holds "
             "besides.");
  Schema<NtpMaxChangeConfig> change;
  change
      .field("offset", &NtpMaxChangeConfig::offset,
             duration(Duration(), Duration::seconds(1'000'000'000)),
             "A greater offset is not corrected. 0s: no limit.")
      .field("start", &NtpMaxChangeConfig::start, integer64(0, 1'000'000),
             "After how many updates this begins to count.")
      .field("ignore", &NtpMaxChangeConfig::ignore, integer64(0, 1'000'000),
             "How many in a row are left out in silence. After them the log says so, and it lasts "
             "until the offset is smaller or `timepool ntp accept-step` is given.");
  Schema<NtpSteeringConfig> out;
  out.table("step", &NtpSteeringConfig::step, step,
            "When the clock is stepped. Otherwise an offset is taken out by running faster or "
            "slower.")
      .table("max_change", &NtpSteeringConfig::max_change, change,
             "Which offsets are left alone once the clock runs.")
      .field("panic_threshold", &NtpSteeringConfig::panic_threshold,
             duration(Duration(), Duration::seconds(1'000'000'000)),
             "A clock that is further off is left alone and reported, and the program runs on "
             "(RFC 8633 5.2), until `timepool ntp accept-step` is given. The very first start on "
             "this machine is free of it. 0s: no threshold.")
      .field("panic_quorum", &NtpSteeringConfig::panic_quorum, integer(0, 64),
             "This many authenticated sources that agree may pass the threshold. 0: never.")
      .field("max_slew_rate", &NtpSteeringConfig::max_slew_rate, number(1, 83333.333),
             "How much faster or slower at the most, in parts in a million.")
      .field("max_clock_error", &NtpSteeringConfig::max_clock_error, number(0, 1000),
             "How much the clock's frequency may change from one measurement to the next beyond "
             "what the measurements show, in parts in a million. The error bounds of sources, the "
             "root dispersion that is served and the one that the kernel is told grow by it. More "
             "for a clock whose temperature or load changes suddenly.");
  return out;
}

}  // namespace

std::string check_source_keys(const NtpdConfig& config) {
  if (!config.keys.file.empty()) return "";
  for (const auto* list : {&config.sources.servers, &config.sources.pools}) {
    for (const NtpSourceConfig& source : *list) {
      if (source.key != 0) return source.address + " has a key, but [keys] names no file";
    }
  }
  for (const NtpPeerConfig& peer : config.peers) {
    if (peer.key != 0) return peer.address + " has a key, but [keys] names no file";
  }
  if (!config.broadcasts.empty()) return "[[broadcast]] has a key, but [keys] names no file";
  if (!config.broadcast_clients.empty()) {
    return "[[broadcast_client]] has a key, but [keys] names no file";
  }
  return "";
}

Schema<NtpdConfig> ntpd_schema() {
  const Schema<NtpSourceConfig> server = ntp_source_schema(false);
  const Schema<NtpSourceConfig> pool = ntp_source_schema(true);
  Schema<NtpResolverConfig> resolver;
  resolver.field("servers", &NtpResolverConfig::servers, list_of(endpoint(53), 16),
                 "DNS servers to ask instead of those of the system.");
  Schema<NtpdControlConfig> control;
  control.field("socket", &NtpdControlConfig::socket, text(107),
                "The Unix socket that `timepool ntp` uses, mode 0660. An empty string: none.");
  Schema<NtpdConfig> root;
  root.check([](const NtpdConfig& it) { return check_leap_settings(it); });
  root.check([](const NtpdConfig& it) { return check_smear(it); });
  root.check([](const NtpdConfig& it) { return check_orphan(it); });
  root.field(
          "clock", &NtpdConfig::clock,
          one_of<ClockControl>(
              {{"observe", ClockControl::kObserve}, {"steer", ClockControl::kSteer}}),
          "What is done with the system clock. \"observe\": nothing; the sources are measured and "
          "reported. \"steer\": it is kept at the sources' time; needs CAP_SYS_TIME.")
      .field(
          "state_directory", &NtpdConfig::state_directory, text(4000),
          "Where a steered clock's frequency, its last good time and whether it was ever set are "
          "kept from one run to the next, in clock.json, hourly and at the end. An empty string: "
          "the directory that systemd names in STATE_DIRECTORY, else nothing is kept.")
      .field("save_samples", &NtpdConfig::save_samples, boolean(),
             "Keep the sources' samples in samples.bin in the same directory too, every quarter of "
             "an hour and at the end. A daemon that goes on within an hour, without a reboot or a "
             "suspend between, then needs one answer of a source to know the time and the "
             "frequency as well as before. Without effect while the clock is not steered.")
      .table("steering", &NtpdConfig::steering, steering_schema(), "How the clock is steered.")
      .field("log_level", &NtpdConfig::log_level, log_level(), kLogLevelDoc)
      .table("server", &NtpdConfig::server, ntp_server_schema(),
             "Serves time. Without this table no socket is bound (RFC 8633 5.1).")
      .table("sources", &NtpdConfig::sources, ntp_sources_schema(), "Whose time is measured.")
      .alias_tables(
          "server", &NtpdConfig::sources, &NtpSourcesConfig::servers, server, "sources.server",
          std::string(kServerDoc) + " In a file with a [server] table write [[sources.server]].",
          kMaxNtpSources)
      .alias_tables("pool", &NtpdConfig::sources, &NtpSourcesConfig::pools, pool, "sources.pool",
                    kPoolDoc, kMaxNtpSources)
      .tables("peer", &NtpdConfig::peers, ntp_peer_schema(),
              "A machine that this one exchanges time with as an equal: each measures the other "
              "(symmetric active mode). Only for those who trust each other, with a key for each "
              "two (RFC 8633 5.6); the other side needs the same.",
              kMaxNtpPeers)
      .tables("broadcast", &NtpdConfig::broadcasts, ntp_broadcast_schema(),
              "A network that this server tells its time unasked, while it has any. Only for "
              "networks that are trusted (RFC 8633 5.5): a broadcast alone does not tell how long "
              "it took.",
              kMaxNtpBroadcasts)
      .tables("broadcast_client", &NtpdConfig::broadcast_clients, ntp_broadcast_client_schema(),
              "A network whose servers' broadcasts are listened for. Only for networks that are "
              "trusted (RFC 8633 5.5). Servers that are heard are sources like others, and none is "
              "any more after eight broadcasts that did not come.",
              kMaxNtpBroadcastClients)
      .tables(
          "refclock", &NtpdConfig::refclocks, refclock_schema(),
          "A reference clock of this machine. Several are measured beside each other and beside "
          "servers, and selected among all alike (RFC 8633 3.3).",
          kMaxRefclocks)
      .table("keys", &NtpdConfig::keys, ntpd_keys_schema(),
             "Symmetric keys: of servers that are asked (`key` of [[server]] and [[pool]]), and of "
             "clients, whose requests under a key are answered under the same.")
      .table("nts", &NtpdConfig::nts, ntpd_nts_schema(), "Network Time Security (RFC 8915).")
      .table("resolver", &NtpdConfig::resolver, resolver, "How names are looked up.")
      .table("control", &NtpdConfig::control, control, "The control socket.")
      .table("log", &NtpdConfig::log, ntpd_log_schema(), "What is measured, as text files.")
      .table("metrics", &NtpdConfig::metrics, ntpd_metrics_schema(), "Numbers over HTTP.")
      .table("sandbox", &NtpdConfig::sandbox, sandbox_schema(),
             "What the daemon may still do once it has opened what it needs.");
  add_leap_settings(root);
  root.check([](const NtpdConfig& it) { return check_refclocks(it.refclocks); });
  root.check([](const NtpdConfig& it) { return check_source_keys(it); });
  root.check([](const NtpdConfig& it) { return check_peers(it.peers); });
  root.check([](const NtpdConfig& it) { return check_broadcast_clients(it.broadcast_clients); });
  root.check([](const NtpdConfig& it) -> std::string {
    const bool led = !it.nts.server || it.server || !it.nts.server->ntp_servers.empty();
    return led ? "" : "[nts.server] without [server]: it needs an [[nts.server.ntp_server]]";
  });
  root.check([](const NtpdConfig& it) -> std::string {
    const bool served = it.server || it.broadcasts.empty();
    return served ? "" : "[[broadcast]] without [server]: there is no time to tell";
  });
  return root;
}

}  // namespace timepool::config
