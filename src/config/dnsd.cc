#include "config/dnsd.h"

#include "config/log_level.h"
#include "config/sandbox.h"

#include <algorithm>

#include "base/hex.h"

namespace timepool::config {
namespace {

constexpr std::uint16_t kDnsPort = 53;
// dns::kMaxIdentity: with every option of EDNS it still fits into 512 bytes.
constexpr std::size_t kMaxIdentity = 100;
constexpr std::size_t kMaxOverrides = 65'536;

std::string repeats(std::vector<Endpoint> listen) {
  std::sort(listen.begin(), listen.end());
  for (std::size_t i = 1; i < listen.size(); ++i) {
    if (listen[i] == listen[i - 1] && listen[i].port != 0) {
      return "listen has " + format(listen[i]) + " twice";
    }
  }
  return {};
}

Schema<DnsdServerConfig> server_schema() {
  using Server = DnsdServerConfig;
  Schema<Server> schema;
  schema
      .field("listen", &Server::listen, list_of(endpoint(kDnsPort, true), 256),
             "The addresses that are served, by UDP and TCP. An empty list: every address of the "
             "machine, port 53. Replies leave from the address that was asked. Port 0 takes a free "
             "port, which the command `status` tells.")
      .field("threads", &Server::threads, integer(0u, 64u),
             "Worker threads for UDP, each with sockets of its own. With 0 the main loop answers "
             "UDP.")
      .field("pin_threads", &Server::pin_threads, boolean(), "Keep each worker on one CPU.")
      .field("receive_buffer", &Server::receive_buffer, byte_count(4096, 1 << 30),
             "How many bytes each UDP socket may queue while its worker is not running. Above the "
             "system's limit it needs CAP_NET_ADMIN; otherwise the limit holds.")
      .field("max_udp", &Server::max_udp, integer<std::uint16_t>(512, 4096),
             "The largest answer by UDP, in bytes; a longer one is asked for again by TCP.")
      .field("identity", &Server::identity, text(kMaxIdentity),
             "Which of several servers this is: for NSID and id.server. Empty: not told.")
      .field("version", &Server::version, text(kMaxIdentity),
             "The answer to version.bind. Empty: refused.")
      .check([](const Server& it) { return repeats(it.listen); });
  return schema;
}

Codec<std::vector<PrefixAsn>> prefix_asns() {
  return {"a table of prefixes, each with a number: \"192.0.2.0/24\" = 64500",
          [](const Value& value, std::vector<PrefixAsn>& out) -> std::string {
            if (value.kind != Value::Kind::kTable) return wrong_kind("a table", value);
            if (value.members.size() > kMaxOverrides) {
              return std::to_string(value.members.size()) + " entries, at most " +
                     std::to_string(kMaxOverrides);
            }
            out.clear();
            for (const Member& member : value.members) {
              const auto prefix = parse_prefix(member.key);
              if (!prefix.ok()) return "\"" + member.key + "\": " + prefix.error().detail;
              const std::int64_t asn = member.value.integer;
              if (member.value.kind != Value::Kind::kInteger || asn < 1 || asn > 0xffff'ffff) {
                return "\"" + member.key + "\": expected a number from 1 to 4294967295";
              }
              out.push_back({*prefix, static_cast<std::uint32_t>(asn)});
            }
            return {};
          },
          [](const std::vector<PrefixAsn>& in) {
            std::string out;
            for (const PrefixAsn& entry : in) {
              out += (out.empty() ? "{ " : ", ") + quoted(format(entry.prefix)) + " = " +
                     std::to_string(entry.asn);
            }
            return out.empty() ? "{}" : out + " }";
          }};
}

Schema<DnsdGeoipConfig> geoip_schema() {
  using Geoip = DnsdGeoipConfig;
  Schema<Geoip> schema;
  schema
      .field("files", &Geoip::files, list_of(path(), 16),
             "MaxMind DB files with countries or autonomous systems; for each, the first file that "
             "knows it of an address is believed. Without any, only the overrides and the labels "
             "without a target count.")
      .field("overrides", &Geoip::overrides, prefix_countries(kMaxOverrides),
             "Countries of address blocks, before the files; the longest prefix counts.")
      .field("asn_overrides", &Geoip::asn_overrides, prefix_asns(),
             "Autonomous systems of address blocks, before the files; the longest prefix counts.");
  return schema;
}

Schema<DnsdSnapshotConfig> snapshot_schema() {
  using Snapshot = DnsdSnapshotConfig;
  Schema<Snapshot> schema;
  schema
      .field("urls", &Snapshot::urls, list_of(http_url(), 16),
             "Managers, or others that hand on their snapshots, the preferred one first: "
             "\"https://pool.example\". Empty: zones come from files only.")
      .field("public_keys", &Snapshot::public_keys, list_of(text(64), 16),
             "The keys that snapshots may be signed with, as 64 hexadecimal digits each "
             "(`timepool-poold --print-public-key`).")
      .field("directory", &Snapshot::directory, text(),
             "Where the last snapshots are kept, so that this server starts without a manager. "
             "Empty: they are not kept.")
      .field("keep", &Snapshot::keep, integer(1u, 100u), "How many of them.")
      .field("ca_file", &Snapshot::ca_file, text(),
             "Certificates in PEM that may have signed the manager's; empty: the system's.")
      .field("wait", &Snapshot::wait, duration(Duration::seconds(1), Duration::seconds(300)),
             "How long the manager may hold a request while there is nothing new.")
      .field("retry_max", &Snapshot::retry_max,
             duration(Duration::milliseconds(100), Duration::seconds(3600)),
             "The longest rest of a URL that failed.")
      .field("relay", &Snapshot::relay, maybe(endpoint(0, true)),
             "Address and port where other servers may fetch the snapshot that this one holds, as "
             "from the manager; they verify the manager's signature. Not given: none.")
      .check([](const Snapshot& it) -> std::string {
        for (const std::string& key : it.public_keys) {
          const auto bytes = from_hex(key);
          if (!bytes.ok() || bytes->size() != 32) {
            return "public_keys: \"" + key + "\" is not 64 hexadecimal digits";
          }
        }
        if ((!it.urls.empty() || !it.directory.empty()) && it.public_keys.empty()) {
          return "public_keys: at least one is needed, since only signed snapshots are taken";
        }
        return {};
      });
  return schema;
}

}  // namespace

Schema<DnsdConfig> dnsd_schema() {
  using Config = DnsdConfig;
  Schema<DnsdZonesConfig> zones;
  zones
      .field("directory", &DnsdZonesConfig::directory, text(),
             "Zone files, each named for its zone: \"pool.example.json\" in geodns' JSON format, "
             "\"example.net.zone\" as a standard master file, which may $INCLUDE files below this "
             "directory. Looked at every second; a file that is wrong leaves its zone as it was, "
             "and a master file is read when it has not changed for a second. Of a zone that is in "
             "a snapshot too, the file counts. Empty: none.")
      .field("health_directory", &DnsdZonesConfig::health_directory, text(),
             "Where zones' \"health\" is looked up, geodns' way: NAME.json with a number for each "
             "address: 2 is healthy, 1 unhealthy, 0 unknown. Looked at every second. Records that "
             "are tested and not healthy are not given. Empty: none are healthy.");
  Schema<DnsdControlConfig> control;
  control.field("socket", &DnsdControlConfig::socket, text(),
                "Unix socket for reports and commands; empty: none.");
  Schema<DnsdMetricsConfig> metrics;
  metrics.field("listen", &DnsdMetricsConfig::listen, maybe(endpoint(0, true)),
                "Address and port of GET /metrics, for Prometheus. Not given: none.");
  Schema<Config> schema;
  schema
      .check([](const Config& it) -> std::string {
        const bool tells = !it.accounting.token_file.empty();
        return tells && it.snapshot.urls.empty() ? "[accounting] token_file needs [snapshot] urls"
                                                 : "";
      })
      // What others copied must not be taken back: a signed zone's serial rises by itself.
      .check([](const Config& it) -> std::string {
        const bool given = !it.transfer.allow.empty() || !it.transfer.notify.empty();
        return given && !it.dnssec.zones.empty() && it.transfer.journal.empty()
                   ? "[transfer] journal: must be given where zones are signed ([[dnssec.zone]])"
                   : "";
      })
      .field("log_level", &Config::log_level, log_level(), kLogLevelDoc)
      .table("server", &Config::server, server_schema(), "Answers queries.")
      .table("tcp", &Config::tcp, dnsd_tcp_schema(), "DNS over TCP, at [server] listen.")
      .table("tls", &Config::tls, dnsd_tls_schema(), "DNS over TLS.")
      .table("cookies", &Config::cookies, dnsd_cookies_schema(), "DNS cookies.")
      .table("rrl", &Config::rrl, dnsd_rrl_schema(), "How often one network is answered.")
      .table("query_log", &Config::query_log, dnsd_query_log_schema(), "Queries in a file.")
      .table("accounting", &Config::accounting, dnsd_accounting_schema(),
             "What the manager is told of answers.")
      .table("geoip", &Config::geoip, geoip_schema(), "Where clients are.")
      .table("zones", &Config::zones, zones, "Zones from files.")
      .table("dnssec", &Config::dnssec, dnsd_dnssec_schema(), "Signed zones.")
      .table("snapshot", &Config::snapshot, snapshot_schema(), "Zones from a manager.")
      .table("transfer", &Config::transfer, dnsd_transfer_schema(),
             "Other name servers that copy zones.")
      .table("control", &Config::control, control, "Reports and commands.")
      .table("metrics", &Config::metrics, metrics, "Counters over HTTP.")
      .table("sandbox", &Config::sandbox, sandbox_schema(),
             "What the daemon gives up once it has bound its sockets.");
  return schema;
}

}  // namespace timepool::config
