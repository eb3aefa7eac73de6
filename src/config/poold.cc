#include "config/poold.h"

#include "config/log_level.h"

namespace timepool::config {
namespace {

using Config = PooldConfig;

Schema<Config::Http> http_schema() {
  Schema<Config::Http> out;
  out.field("listen", &Config::Http::listen, list_of(endpoint(0, true), 64),
            "Addresses and ports of the API and the web pages. Port 0 takes any free one, which is "
            "then logged.")
      .field("workers", &Config::Http::workers, integer<unsigned>(1, 64),
             "Threads that answer requests.")
      .check([](const Config::Http& http) -> std::string {
        return http.listen.empty() ? "listen: at least one address is needed" : "";
      });
  return out;
}

Schema<Config::Store> store_schema() {
  Schema<Config::Store> out;
  out.field("path", &Config::Store::path, path(), "The SQLite database; made when it is not there.")
      .field("sync_every_commit", &Config::Store::sync_every_commit, boolean(),
             "True: what was acknowledged survives a power cut. False: it survives a killed "
             "process, but a power cut may lose the last seconds.")
      .field("max_size", &Config::Store::max_size, byte_count(0, std::int64_t{1} << 46),
             "Largest size of the database file; 0 is no limit. When it is reached results are "
             "refused with an error and nothing is lost.")
      .field("history", &Config::Store::history,
             duration(Duration::seconds(3600), Duration::seconds(3650LL * 86'400)),
             "How long measurements are kept.");
  return out;
}

Schema<Config::Servers> servers_schema() {
  Schema<Config::Servers> out;
  out.field("allow_private", &Config::Servers::allow_private, boolean(),
            "Take servers on private, loopback and other special addresses: for a pool inside one "
            "organisation and for tests.")
      .field("default_netspeed", &Config::Servers::default_netspeed,
             integer<std::uint32_t>(0, 100'000'000),
             "The netspeed in kbit/s of a server that is registered without one.")
      .field("max_netspeed", &Config::Servers::max_netspeed, integer<std::uint32_t>(1, 100'000'000),
             "The highest netspeed that is taken.");
  return out;
}

Schema<Config::Monitors> monitors_schema() {
  Schema<Config::Monitors> out;
  const Duration shortest = Duration::milliseconds(100);
  const Duration longest = Duration::seconds(604'800);
  out.field("check_interval", &Config::Monitors::check_interval, duration(shortest, longest),
            "How often each monitor checks each server.")
      .field("bad_interval", &Config::Monitors::bad_interval, duration(shortest, longest),
             "How often instead, when the monitor's score for it is at bad_score or below.")
      .field("bad_score", &Config::Monitors::bad_score, number(-1000, 0), "See bad_interval.")
      .field("samples", &Config::Monitors::samples, integer<std::uint32_t>(1, 16),
             "Questions to a server in one check.")
      .field("batch", &Config::Monitors::batch, integer<std::uint32_t>(1, 1000),
             "Servers handed to a monitor at once, at the most.")
      .field("ntp_port", &Config::Monitors::ntp_port, integer<std::uint16_t>(1, 65535),
             "The UDP port that the pool's servers serve on.")
      .field("ticket_lifetime", &Config::Monitors::ticket_lifetime,
             duration(Duration::seconds(10), longest),
             "A result is taken for this long after its check was handed out, so that a monitor "
             "that was cut off can deliver what it has.")
      .field("answers_kept", &Config::Monitors::answers_kept,
             duration(Duration::seconds(60), Duration::seconds(90LL * 86'400)),
             "How long a repeated Idempotency-Key gets the answer of the first time; at least "
             "ticket_lifetime.")
      .check([](const Config::Monitors& monitors) -> std::string {
        return monitors.answers_kept < monitors.ticket_lifetime
                   ? "answers_kept: must be at least ticket_lifetime"
                   : "";
      });
  return out;
}

std::string check_offset_pieces(const Config::Scoring& scoring) {
  const std::size_t count = scoring.offset_above_s.size();
  if (scoring.offset_slope.size() != count || scoring.offset_intercept.size() != count) {
    return "offset_above, offset_slope and offset_intercept: must have as many items each";
  }
  for (std::size_t i = 1; i < count; ++i) {
    if (scoring.offset_above_s[i] >= scoring.offset_above_s[i - 1]) {
      return "offset_above: must go from the largest to the smallest";
    }
  }
  return {};
}

Schema<Config::Scoring> scoring_schema() {
  using S = Config::Scoring;
  Schema<S> out;
  const auto score = [] { return number(-1000, 1000); };
  const auto window = [] { return duration(Duration::seconds(1), Duration::seconds(86'400)); };
  out.field("decay", &S::decay, number(0, 0.999), "New score = old score * decay + step.")
      .field("max_score", &S::max_score, score(), "No score is above it.")
      .field("no_response_step", &S::no_response_step, score(), "Step for no answer.")
      .field("rate_step", &S::rate_step, score(), "Step for a kiss of death RATE.")
      .field("deny_step", &S::deny_step, score(), "Step for a kiss of death DENY or RSTR.")
      .field("deny_cap", &S::deny_cap, score(), "The score is not above it after deny_step.")
      .field("other_kiss_step", &S::other_kiss_step, score(),
             "Step for stratum 0 with any other code.")
      .field("other_kiss_cap", &S::other_kiss_cap, score(),
             "The score is not above it after other_kiss_step.")
      .field("error_step", &S::error_step, score(), "Step for any other fault.")
      .field("far_offset", &S::far_offset_s, number(0, 1e9),
             "Offset in seconds beyond which a clock is wrong altogether.")
      .field("far_offset_step", &S::far_offset_step, score(), "Step for that.")
      .field("far_offset_cap", &S::far_offset_cap, score(),
             "The score is not above it after far_offset_step.")
      .field("bad_stratum", &S::bad_stratum, integer<std::uint8_t>(1, 16),
             "From this stratum on a server is not fit for the pool.")
      .field("bad_stratum_step", &S::bad_stratum_step, score(), "Step for that.")
      .field("offset_above", &S::offset_above_s, list_of(number(0, 1e9), 3),
             "Offsets in seconds, from the largest: above the first the step is offset_slope[0] * "
             "offset + offset_intercept[0], and so on; up to the last it is max_step.")
      .field("offset_slope", &S::offset_slope, list_of(number(-1e6, 1e6), 3), "See offset_above.")
      .field("offset_intercept", &S::offset_intercept, list_of(number(-1e6, 1e6), 3),
             "See offset_above.")
      .field("max_step", &S::max_step, score(), "The best step.")
      .field("active_window", &S::active_window, window(),
             "The server's score is the median of the active monitors' scores of this time.")
      .field("testing_window", &S::testing_window, window(),
             "If there are none: of active and testing monitors.")
      .field("candidate_window", &S::candidate_window, window(),
             "If there are none: of testing and candidate monitors.")
      .check([](const S& scoring) { return check_offset_pieces(scoring); });
  return out;
}

Schema<Config::Publish> publish_schema() {
  Schema<Config::Publish> out;
  out.field("min_interval", &Config::Publish::min_interval,
            duration(Duration::milliseconds(10), Duration::seconds(86'400)),
            "Zones are published no more often than this; a change waits that long at the most.")
      .field("names_interval", &Config::Publish::names_interval,
             duration(Duration::milliseconds(10), Duration::seconds(86'400)),
             "The same for names of servers that come and go, and for who is listed by them: a "
             "member's next step is a certificate, and one that left must not get another.")
      .field("key_file", &Config::Publish::key_file, path(),
             "The Ed25519 key that signs snapshots; made at the first start, readable by its "
             "owner only.");
  return out;
}

Schema<Config::Geoip> geoip_schema() {
  Schema<Config::Geoip> out;
  out.field("files", &Config::Geoip::files, list_of(path(), 16),
            "MaxMind DB files with countries; the first that knows an address is believed.")
      .field("overrides", &Config::Geoip::overrides, prefix_countries(),
             "Countries of address blocks, before the files; the longest prefix counts.");
  return out;
}

std::string check_host(const Config::Host& host) {
  return host.addresses.empty() ? "addresses: at least one is needed" : "";
}

Schema<Config::Zones> zones_schema() {
  using Z = Config::Zones;
  Schema<Config::Host> host;
  host.required("name", &Config::Host::name, domain_name(), "Below the zone: \"ns1\".")
      .required("addresses", &Config::Host::addresses, list_of(ip_address(), 16), "A and AAAA.")
      .check([](const Config::Host& item) { return check_host(item); });
  Schema<Z> out;
  out.field("name", &Z::name, domain_name(), "The pool's zone.")
      .field("name_servers", &Z::name_servers, list_of(domain_name(), 16),
             "Full names of the zone's name servers; the first is the SOA's.")
      .tables("host", &Z::hosts, host, "Addresses of names in the zone, as of its name servers.",
              64)
      .field("contact", &Z::contact, domain_name(true),
             "The SOA's contact, as a name; empty is hostmaster in the zone.")
      .field("ttl", &Z::ttl, integer<std::uint32_t>(1, 86'400), "TTL of addresses, in seconds.")
      .field(
          "negative_ttl", &Z::negative_ttl, integer<std::uint32_t>(1, 3600),
          "How long resolvers remember that a name or its addresses are not there (RFC 2308), in "
          "seconds: a server's new name stays hidden so long from who asked for it too early.")
      .field("max_hosts", &Z::max_hosts, integer<std::uint32_t>(1, 32), "Addresses in one answer.")
      .field("min_score", &Z::min_score, number(-100, 100),
             "Servers with this score and above are in DNS.")
      .field("min_per_number", &Z::min_per_number, integer<std::uint32_t>(1, 1000),
             "The names 0 to 3 share the servers from this many for each on; with fewer each name "
             "has all of them.");
  return out;
}

Schema<Config::Selection> selection_schema() {
  using S = Config::Selection;
  const auto share = [] { return number(0.01, 1); };
  Schema<S> out;
  out.field("fill_countries", &S::fill_countries, boolean(),
            "Give countries that have no server a name of their own, filled from their neighbours.")
      .field("min_servers", &S::min_servers, integer<std::uint32_t>(0, 1000),
             "A name with fewer servers of a family is filled up from the nearest countries.")
      .field("min_capacity", &S::min_capacity, integer<std::uint32_t>(0, 1'000'000'000),
             "So is one whose servers' netspeeds sum to less, in kbit/s.")
      .field("max_distance_km", &S::max_distance_km, integer<std::uint32_t>(0, 20'100),
             "Countries farther away fill up only a name that would have no server.")
      .field("max_server_share", &S::max_server_share, share(),
             "Share of a name's weight that one server may have; 1 is no cap. With n servers no "
             "cap is below 2 / n; so with all shares.")
      .field("max_network_share", &S::max_network_share, share(),
             "Share that the servers of an IPv4 /24 or an IPv6 /48 may have together.")
      .field("max_account_share", &S::max_account_share, share(),
             "Share that the servers of one account may have together.")
      .field("max_asn_share", &S::max_asn_share, share(),
             "Share that the servers of one autonomous system may have together; [geoip] files "
             "tell the systems.");
  return out;
}

// Names of servers stand below labels that are nothing else's.
std::string check_names(const Config& config) {
  const std::string parent = config.nts.parent();
  for (const Config::Host& host : config.zones.hosts) {
    if (host.name == parent || host.name.ends_with("." + parent)) {
      return "[nts] template: [[zones.host]] " + host.name + " is where names of servers are";
    }
  }
  return {};
}

}  // namespace

Schema<PooldConfig> poold_schema() {
  Schema<Config::Admin> admin;
  admin.field("token_file", &Config::Admin::token_file, path(),
              "Holds the token of the administration; made at the first start, readable by its "
              "owner only.");
  Schema<Config::Dns> dns;
  dns.field("token_file", &Config::Dns::token_file, text(4000),
            "Holds the token with which name servers (timepool-dnsd's [accounting]) tell how often "
            "they handed out each server; made at the first start, readable by its owner only. "
            "Empty: such counts are not taken.");
  Schema<Config> out;
  out.field("log_level", &Config::log_level, log_level(), kLogLevelDoc)
      .table("http", &Config::http, http_schema(), "API and web pages.")
      .table("store", &Config::store, store_schema(), "The database.")
      .table("admin", &Config::admin, admin, "Administration.")
      .table("dns", &Config::dns, dns, "Name servers.")
      .table("servers", &Config::servers, servers_schema(), "What servers are taken.")
      .table("monitors", &Config::monitors, monitors_schema(), "What monitors are asked to do.")
      .table("scoring", &Config::scoring, scoring_schema(),
             "How checks become scores; the defaults are the NTP Pool's.")
      .table("publish", &Config::publish, publish_schema(), "Snapshots for DNS servers.")
      .table("geoip", &Config::geoip, geoip_schema(), "Where servers are.")
      .table("zones", &Config::zones, zones_schema(), "The pool's DNS zone.")
      .table("selection", &Config::selection, selection_schema(),
             "Which servers stand at a name of the zone, and with which weight.")
      .table("nts", &Config::nts, poold_nts_schema(),
             "Names of servers for Network Time Security, and when they are listed.")
      .check([](const Config& config) { return check_names(config); });
  return out;
}

}  // namespace timepool::config
