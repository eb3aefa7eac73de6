#include "config/ntpd.h"

#include "config/log_level.h"
#include "config/ntpd_leap.h"

#include <algorithm>

namespace timepool::config {
namespace {

// 2^-6 s is for local networks. RFC 8633 3.7: at most 2^16 s, so that the warning of a
// leap second is not missed.
constexpr int kMinPoll = -6;
constexpr int kMaxPoll = 16;
constexpr std::size_t kMaxSources = 16;

Schema<NtpServerConfig> server_schema() {
  Schema<NtpLocalConfig> local;
  local.field("stratum", &NtpLocalConfig::stratum, integer(1, 15), "The stratum that is claimed.")
      .field("refid", &NtpLocalConfig::refid, text(4),
             "The reference identifier that is claimed: one to four ASCII characters.")
      .field("root_dispersion", &NtpLocalConfig::root_dispersion,
             duration(Duration(), Duration::seconds(16)),
             "The error of the system clock that is claimed.")
      .check([](const NtpLocalConfig& it) -> std::string {
        const bool printable = std::all_of(it.refid.begin(), it.refid.end(),
                                           [](char c) { return c > 0x20 && c < 0x7f; });
        return it.refid.empty() || !printable
                   ? "refid must be one to four printable ASCII characters without spaces"
                   : "";
      });
  Schema<NtpTestConfig> test;
  test.field("offset", &NtpTestConfig::offset,
             duration(Duration::seconds(-86400), Duration::seconds(86400)),
             "Added to every time that is served: the server lies. The clock is not touched. Only "
             "for tests of clients, monitors and pools.");
  Schema<NtpServerConfig> server;
  server
      .field(
          "listen", &NtpServerConfig::listen, list_of(endpoint(123, true), 256),
          "The addresses that are served. An empty list: every address of the machine, port 123. "
          "Replies leave from the address that was asked. Port 0 takes a free port, which the "
          "command `status` tells.")
      .field("threads", &NtpServerConfig::threads, integer(0u, 64u),
             "Worker threads, each with sockets of its own. With 0 the main loop answers.")
      .field("pin_threads", &NtpServerConfig::pin_threads, boolean(),
             "Keep each worker on one CPU.")
      .field("receive_buffer", &NtpServerConfig::receive_buffer, byte_count(4096, 1 << 30),
             "How many bytes each socket may queue while its worker is not running. Above the "
             "system's limit it needs CAP_NET_ADMIN; otherwise the limit holds.")
      .field("interface", &NtpServerConfig::interface, text(15),
             "Serve only on this network interface; an empty string: all.")
      .table(
          "local", &NtpServerConfig::local, local,
          "Serve the system clock as synchronised, whatever this program knows about it. Without "
          "this table the answers say that the clock is not synchronised (leap indicator 3), "
          "also when the sources below are good: with clock = \"observe\" this program does not "
          "steer the clock and so can't vouch for it.")
      .table("test", &NtpServerConfig::test, test, "For tests only.")
      .check([](const NtpServerConfig& it) -> std::string {
        std::vector<Endpoint> sorted = it.listen;
        std::sort(sorted.begin(), sorted.end());
        const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
        return twice != sorted.end() && twice->port != 0
                   ? "listen: " + format(*twice) + " is there twice"
                   : "";
      });
  return server;
}

Schema<NtpSourceConfig> source_schema(bool pool) {
  Schema<NtpSourceConfig> source;
  source
      .required("address", &NtpSourceConfig::address, text(255),
                pool ? "A name that stands for many servers." : "An IP address or a host name.")
      .field("port", &NtpSourceConfig::port, integer<std::uint16_t>(1, 65535), "The UDP port.")
      .field(
          "iburst", &NtpSourceConfig::iburst, boolean(),
          "Ask several times in a row at the start: up to eight requests two seconds apart, until "
          "four were answered.")
      .field("burst", &NtpSourceConfig::burst, boolean(),
             "When a request brought nothing of use, ask up to three times more in a row, as often "
             "as the mean interval stays at minpoll.")
      .field("minpoll", &NtpSourceConfig::minpoll, integer(kMinPoll, kMaxPoll),
             "The shortest time between requests, as a power of two of seconds.")
      .field("maxpoll", &NtpSourceConfig::maxpoll, integer(kMinPoll, kMaxPoll),
             "The longest time between requests, as a power of two of seconds. Below 0 only for "
             "servers nearer than 10 ms; others are asked once a second at the most.")
      .field(
          "presend", &NtpSourceConfig::presend, maybe(integer(kMinPoll, kMaxPoll)),
          "At intervals of this power of two of seconds and more, send a packet two seconds "
          "before each request, of which the answer is not used: it makes the devices on the way "
          "look up addresses that they forgot. Not set: never.")
      .field(
          "interleaved", &NtpSourceConfig::interleaved, boolean(),
          "Use interleaved mode (RFC 9769) with servers that have it: they tell the true time of "
          "sending of the reply before, which is more accurate in networks with timestamps by "
          "kernel or device.")
      .field("online", &NtpSourceConfig::online, boolean(),
             "Ask it from the start. With false it waits for `timepool ntp online`.")
      .field("version", &NtpSourceConfig::version, integer(1, 4), "The NTP version of requests.")
      .field("smeared", &NtpSourceConfig::smeared, boolean(),
             "It smears leap seconds. All sources must then, and no leap_file be given (RFC 8633 "
             "3.7.1).");
  if (pool) {
    source.field("max_addresses", &NtpSourceConfig::max_addresses, integer(1, 16),
                 "How many servers of the pool are used at the same time.");
  }
  source.check([](const NtpSourceConfig& it) -> std::string {
    if (it.address.empty()) return "address is empty";
    return it.minpoll > it.maxpoll ? "minpoll is above maxpoll" : "";
  });
  return source;
}

Schema<NtpSteeringConfig> steering_schema() {
  Schema<NtpStepConfig> step;
  step.field("threshold", &NtpStepConfig::threshold,
             duration(Duration::microseconds(1), Duration::seconds(1'000'000'000)),
             "A clock that is further off than this may be stepped.")
      .field("limit", &NtpStepConfig::limit, integer64(-1, 1'000'000),
             "In how many of the first updates. 0: never; -1: always.");
  Schema<NtpSteeringConfig> out;
  out.table("step", &NtpSteeringConfig::step, step,
            "When the clock is stepped. Otherwise an offset is taken out by running faster or "
            "slower.")
      .field("max_slew_rate", &NtpSteeringConfig::max_slew_rate, number(1, 83333.333),
             "How much faster or slower at the most, in parts in a million.");
  return out;
}

}  // namespace

Schema<NtpdConfig> ntpd_schema() {
  const Schema<NtpSourceConfig> server = source_schema(false);
  const Schema<NtpSourceConfig> pool = source_schema(true);
  const std::string server_doc = "A server whose time is measured.";
  const std::string pool_doc = "A pool of servers behind one name, of which some are measured.";
  Schema<NtpSourcesConfig> sources;
  sources
      .field("min_sources", &NtpSourcesConfig::min_sources, integer(1, 64),
             "How many sources must agree before any is believed (RFC 8633 3.2).")
      .tables("server", &NtpSourcesConfig::servers, server, server_doc, kMaxSources)
      .tables("pool", &NtpSourcesConfig::pools, pool, pool_doc, kMaxSources);
  sources.check([](const NtpSourcesConfig& it) -> std::string {
    return it.servers.size() + it.pools.size() > kMaxSources
               ? "more than " + std::to_string(kMaxSources) + " servers and pools"
               : "";
  });
  Schema<NtpResolverConfig> resolver;
  resolver.field("servers", &NtpResolverConfig::servers, list_of(endpoint(53), 16),
                 "DNS servers to ask instead of those of the system.");
  Schema<NtpdControlConfig> control;
  control.field("socket", &NtpdControlConfig::socket, text(107),
                "The Unix socket that `timepool ntp` uses, mode 0660. An empty string: none.");
  Schema<NtpdConfig> root;
  root.check([](const NtpdConfig& it) { return check_leap_settings(it); });
  root.field(
          "clock", &NtpdConfig::clock,
          one_of<ClockControl>(
              {{"observe", ClockControl::kObserve}, {"steer", ClockControl::kSteer}}),
          "What is done with the system clock. \"observe\": nothing; the sources are measured and "
          "reported. \"steer\": it is kept at the sources' time; needs CAP_SYS_TIME.")
      .table("steering", &NtpdConfig::steering, steering_schema(), "How the clock is steered.")
      .field("log_level", &NtpdConfig::log_level, log_level(), kLogLevelDoc)
      .table("server", &NtpdConfig::server, server_schema(),
             "Serves time. Without this table no socket is bound (RFC 8633 5.1).")
      .table("sources", &NtpdConfig::sources, sources, "Whose time is measured.")
      .alias_tables(
          "server", &NtpdConfig::sources, &NtpSourcesConfig::servers, server, "sources.server",
          server_doc + " In a file with a [server] table write [[sources.server]].", kMaxSources)
      .alias_tables("pool", &NtpdConfig::sources, &NtpSourcesConfig::pools, pool, "sources.pool",
                    pool_doc, kMaxSources)
      .table("resolver", &NtpdConfig::resolver, resolver, "How names are looked up.")
      .table("control", &NtpdConfig::control, control, "The control socket.")
      .table("metrics", &NtpdConfig::metrics, ntpd_metrics_schema(), "Numbers over HTTP.");
  add_leap_settings(root);
  return root;
}

}  // namespace timepool::config
