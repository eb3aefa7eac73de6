#include "config/ntpd_source.h"

#include <algorithm>

namespace timepool::config {
namespace {

// 2^-6 s is for local networks. RFC 8633 3.7: at most 2^16 s, so that the warning of a leap second
// is not missed.
constexpr int kMinPoll = -6;
constexpr int kMaxPoll = 16;
constexpr std::size_t kMaxOwnAddresses = 64;

std::string check_sources(const NtpSourcesConfig& it) {
  if (it.servers.size() + it.pools.size() > kMaxNtpSources) {
    return "more than " + std::to_string(kMaxNtpSources) + " servers and pools";
  }
  if (it.bind_address.size() == 2 && it.bind_address[0].family() == it.bind_address[1].family()) {
    return "bind_address: two of one family";
  }
  return it.min_stratum > it.max_stratum ? "min_stratum is above max_stratum" : "";
}

void add_limits(Schema<NtpSourcesConfig>& out) {
  const auto distance = duration(Duration::nanoseconds(1), Duration::seconds(3600));
  const auto weight = duration(Duration(), Duration::seconds(60));
  out.field("min_stratum", &NtpSourcesConfig::min_stratum, integer(0, 15),
            "Servers of a lower stratum are not used.")
      .field("max_stratum", &NtpSourcesConfig::max_stratum, integer(0, 15),
             "Servers of a higher stratum are not used.")
      .field("max_distance", &NtpSourcesConfig::max_distance, distance,
             "Sources with a wider error bound are not used: half the round trip, what the server "
             "claims for itself, and what has come to it since.")
      .field("max_jitter", &NtpSourcesConfig::max_jitter, distance,
             "Sources whose measurements vary by more are not used.")
      .field("reselect_distance", &NtpSourcesConfig::reselect_distance, weight,
             "A source that is not the selected one counts as this much farther away, so that two "
             "equals don't alternate.")
      .field("stratum_weight", &NtpSourcesConfig::stratum_weight, weight,
             "What a stratum counts as distance, in the choice of the selected source.")
      .field(
          "combine_limit", &NtpSourcesConfig::combine_limit, number(0, 1000),
          "A source that agrees is combined with the selected one unless its error bound is more "
          "than this many times as wide. 0: the selected one is used alone.");
}

void add_sending(Schema<NtpSourcesConfig>& out) {
  out.field("bind_address", &NtpSourcesConfig::bind_address, list_of(ip_address(), 2),
            "Requests leave from this address; one of IPv4 and one of IPv6 at the most.")
      .field("bind_device", &NtpSourcesConfig::bind_device, text(15),
             "Requests leave by this network interface only; an empty string: as the system routes "
             "them.")
      .field("acquisition_port", &NtpSourcesConfig::acquisition_port,
             integer<std::uint16_t>(0, 65535),
             "All requests leave from this port, for firewalls that want it so. With 0 each has a "
             "random port of its own (RFC 9109).")
      .field("dscp", &NtpSourcesConfig::dscp, integer(0, 63),
             "The differentiated services code point of requests; 46 is expedited forwarding.")
      .field("hardware_timestamps", &NtpSourcesConfig::hardware_timestamps, list_of(text(15), 16),
             "Network interfaces whose devices stamp packets on the wire, or \"auto\": all that "
             "can. It needs CAP_NET_ADMIN, or that another program switched them on.");
}

// Facts of failing over: docs/rfc-matrix.md F4 to F6, F12.
void add_failover(Schema<NtpSourceConfig>& out, bool pool) {
  const auto interval = duration(Duration::seconds(1), Duration::seconds(7 * 86'400));
  out.field("max_addresses", &NtpSourceConfig::max_addresses, integer(0, 16),
            std::string("How many addresses of the name are used at the same time. 0: ") +
                (pool ? "four." : "one."))
      .field("initial_failover_retry_limit", &NtpSourceConfig::initial_failover_retry_limit,
             integer(0, 1000),
             "An address that never answered is left for the next one after this many requests in "
             "vain in a row. On a path that loses many packets up to four times as many are "
             "needed. 0: never.")
      .field("server_failure_retry_limit", &NtpSourceConfig::server_failure_retry_limit,
             integer(0, 1000), "The same for an address that did answer before. 0: never.")
      .field("resolve_min", &NtpSourceConfig::resolve_min, interval,
             "Between two look-ups of a name that has too few working addresses, at first; the "
             "time is doubled from look-up to look-up.")
      .field("resolve_max", &NtpSourceConfig::resolve_max, interval, "The most that it becomes.")
      .field("resolve_refresh", &NtpSourceConfig::resolve_refresh, interval,
             "Between two look-ups of a name that has enough working addresses, IPv4 and IPv6.")
      .field("family", &NtpSourceConfig::family,
             one_of<AddressFamily>({{"both", AddressFamily::kBoth},
                                    {"ipv4", AddressFamily::kV4},
                                    {"ipv6", AddressFamily::kV6}}),
             "Which addresses of the name are used.");
}

void add_samples(Schema<NtpSourceConfig>& out) {
  using It = NtpSourceConfig;
  out.field("max_delay", &It::max_delay, duration(Duration::nanoseconds(1), Duration::seconds(60)),
            "Replies whose round trip took longer are not used.")
      .field("max_delay_ratio", &It::max_delay_ratio, number(0, 1e6),
             "Nor those that took more than so many times as long as the fastest. 0: no limit.")
      .field("max_delay_dev_ratio", &It::max_delay_dev_ratio, number(0, 1e6),
             "Nor those where half of what they took longer is more than so many times the jitter "
             "of the measurements. 0: no limit.")
      .field("max_delay_quantile", &It::max_delay_quantile, number(0, 1),
             "Nor those that are not among this share of the fastest of the last 64. 0: all.")
      .field("filter", &It::filter, integer(1, 64),
             "Make one measurement of so many replies: their median.")
      .field("min_samples", &It::min_samples, integer(1, 128),
             "Let at least so many measurements count, however much the clock seems to wander.")
      .field("max_samples", &It::max_samples, integer(1, 128), "Keep at most so many.");
}

constexpr const char* kPoolNts =
    " All addresses of the name must show a certificate for it; \"ke\" is another word for this. "
    "\"srv\": the same with servers of their own names, which the SRV records at _ntske._tcp of "
    "the "
    "name tell: each must show a certificate for its own. The records must be proved by DNSSEC "
    "(see "
    "srv_trust and [nts.srv]). \"auto\": \"srv\" where DNSSEC proves such records; \"ke\" where "
    "there "
    "are none or the zone is not signed; neither where the proof fails.";

std::vector<std::pair<std::string, NtsUse>> uses_of_nts(bool pool) {
  std::vector<std::pair<std::string, NtsUse>> out{{"off", NtsUse::kOff},
                                                  {"require", NtsUse::kRequire}};
  if (!pool) return out;
  out.emplace_back("ke", NtsUse::kRequire);
  out.emplace_back("srv", NtsUse::kSrv);
  out.emplace_back("auto", NtsUse::kAuto);
  return out;
}

void add_srv(Schema<NtpSourceConfig>& out) {
  using It = NtpSourceConfig;
  out.field(
         "srv_trust", &It::srv_trust,
         one_of<SrvTrust>(
             {{"dnssec", SrvTrust::kDnssec}, {"dnssec-or-suffix", SrvTrust::kDnssecOrSuffix}}),
         "Which SRV records are followed. \"dnssec\": those that DNSSEC proves. "
         "\"dnssec-or-suffix\": of records in a zone that is not signed those too whose target is "
         "within srv_suffix. Who forges DNS can then choose among the pool's servers, but bring in "
         "no other, as long as the pool alone gives out names there.")
      .field("srv_suffix", &It::srv_suffix, text(255),
             "Where targets without proof must be: \"*\" is one label, \"{pool}\" the pool's name.")
      .check([](const It& it) -> std::string {
        const bool srv = it.nts == NtsUse::kSrv || it.nts == NtsUse::kAuto;
        if (srv && it.srv_suffix.empty()) return "srv_suffix is empty";
        if (it.nts == NtsUse::kSrv && !it.nts_name.empty()) {
          return "nts_name and nts = \"srv\" exclude each other: the SRV record names the server";
        }
        return "";
      });
}

void add_nts(Schema<NtpSourceConfig>& out, bool pool) {
  using It = NtpSourceConfig;
  const Codec<AeadId> aead =
      one_of<AeadId>({{std::string(name_of(AeadId::kAesSivCmac256)), AeadId::kAesSivCmac256},
                      {std::string(name_of(AeadId::kAes128GcmSiv)), AeadId::kAes128GcmSiv}});
  out.field("nts", &It::nts, one_of<NtsUse>(uses_of_nts(pool)),
            std::string("\"require\": keys are established with it by Network Time Security (RFC "
                        "8915), and only what they prove is believed; it is never asked without.") +
                (pool ? kPoolNts : ""));
  if (pool) add_srv(out);
  out.field("nts_port", &It::nts_port, integer<std::uint16_t>(1, 65535),
            "The TCP port of its key establishment. The NTP port is told by that; `port` is not "
            "used.")
      .field("nts_name", &It::nts_name, text(255),
             "The name that its certificate must have. An empty string: `address`.")
      .field("nts_ca", &It::nts_ca, list_of(path(), 16),
             "PEM files of the authorities that are trusted with it; a server's own certificate "
             "may be one. An empty list: the system's authorities.")
      .field("nts_pins", &It::nts_pins, list_of(text(128), 16),
             "SHA-256 hashes of public keys, in hexadecimal or base64, of which the server's must "
             "be one, besides being certified. An empty list: any key.")
      .field("nts_aeads", &It::nts_aeads, list_of(aead, kAeadCount),
             "Which algorithms are offered to it, the best first.")
      .check([](const It& it) -> std::string {
        if (it.nts == NtsUse::kOff) return "";
        if (it.key != 0) return "key and nts exclude each other";
        if (it.version != 4) return "nts needs version 4 (RFC 8915 5)";
        if (it.burst) return "burst and nts exclude each other: each request costs a cookie";
        if (it.presend) return "presend and nts exclude each other: each packet costs a cookie";
        if (it.nts_aeads.empty()) return "nts_aeads is empty";
        const bool twice = it.nts_aeads.size() > 1 && it.nts_aeads.front() == it.nts_aeads.back();
        return twice ? "nts_aeads has the same algorithm twice" : "";
      });
}

}  // namespace

Schema<NtpSourceFile> ntp_source_file_schema() {
  Schema<NtpSourceFile> out;
  out.tables("server", &NtpSourceFile::servers, ntp_source_schema(false), kServerDoc,
             kMaxNtpSources)
      .tables("pool", &NtpSourceFile::pools, ntp_source_schema(true), kPoolDoc, kMaxNtpSources);
  return out;
}

Schema<NtpSourceConfig> ntp_source_schema(bool pool) {
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
      .field("key", &NtpSourceConfig::key, integer<std::uint32_t>(0, 4294967295U),
             "The number of the key in [keys] file that both sides have: requests are signed by "
             "it, and only replies under this very key are believed. 0: none.")
      .field("online", &NtpSourceConfig::online, boolean(),
             "Ask it from the start. With false it waits for `timepool ntp online`.")
      .field("version", &NtpSourceConfig::version, integer(1, 4), "The NTP version of requests.")
      .field("smeared", &NtpSourceConfig::smeared, boolean(),
             "It smears leap seconds. All sources must then, and no leap_file be given (RFC 8633 "
             "3.7.1).");
  source
      .field("prefer", &NtpSourceConfig::prefer, boolean(),
             "Use it alone, or with others that are preferred, as long as it agrees with the "
             "majority.")
      .field("trust", &NtpSourceConfig::trust, boolean(),
             "Sources that are not trusted can't outvote it: the majority of those that are "
             "decides, and the others are used only where they claim no more than that.")
      .field("require", &NtpSourceConfig::require, boolean(),
             "Of the sources with this setting one at least must agree, else none is believed.")
      .field("noselect", &NtpSourceConfig::noselect, boolean(),
             "Measure it and never use its time.");
  add_nts(source, pool);
  add_samples(source);
  add_failover(source, pool);
  source.check([](const NtpSourceConfig& it) -> std::string {
    if (it.address.empty()) return "address is empty";
    if (it.min_samples > it.max_samples) return "min_samples is above max_samples";
    if (it.resolve_min > it.resolve_max) return "resolve_min is above resolve_max";
    return it.minpoll > it.maxpoll ? "minpoll is above maxpoll" : "";
  });
  return source;
}

Schema<NtpSourcesConfig> ntp_sources_schema() {
  Schema<NtpSourcesConfig> out;
  out.field("min_sources", &NtpSourcesConfig::min_sources, integer(1, 64),
            "How many sources must agree before any is believed (RFC 8633 3.2).")
      .field("auth_selection", &NtpSourcesConfig::auth_selection,
             one_of<AuthSelectionPolicy>({{"require", AuthSelectionPolicy::kRequire},
                                          {"prefer", AuthSelectionPolicy::kPrefer},
                                          {"mix", AuthSelectionPolicy::kMix},
                                          {"ignore", AuthSelectionPolicy::kIgnore}}),
             "What it counts for that a server's replies are authenticated. \"require\": only such "
             "servers are used. \"prefer\": the others only when no authenticated one is "
             "configured. \"mix\": where there are both, those that are authenticated, and "
             "reference clocks, are trusted and required. \"ignore\": nothing.");
  add_limits(out);
  add_sending(out);
  out.field("own_addresses", &NtpSourcesConfig::own_addresses,
            list_of(ip_address(), kMaxOwnAddresses),
            "Addresses by which others know this machine beside those of its interfaces, where "
            "addresses are translated: a server that follows one of them is not used.")
      .field("directories", &NtpSourcesConfig::directories, list_of(path(), 8),
             "Directories whose files *.toml name further sources, as [[server]] and [[pool]] with "
             "the settings below; they are looked at every few seconds and on reload. DHCP clients "
             "write there. A file that is wrong leaves its sources as they were.")
      .field("replace_interval", &NtpSourcesConfig::replace_interval,
             duration(Duration::seconds(1), Duration::seconds(7 * 86'400)),
             "At most one member of a pool that answers is replaced in this time, because it "
             "disagrees with the majority, is not synchronised, is too distant or depends on "
             "another.")
      .tables("server", &NtpSourcesConfig::servers, ntp_source_schema(false), kServerDoc,
              kMaxNtpSources)
      .tables("pool", &NtpSourcesConfig::pools, ntp_source_schema(true), kPoolDoc, kMaxNtpSources)
      .check([](const NtpSourcesConfig& it) { return check_sources(it); });
  return out;
}

}  // namespace timepool::config
