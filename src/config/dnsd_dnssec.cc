#include "config/dnsd_dnssec.h"

#include <algorithm>

namespace timepool::config {
namespace {

constexpr Duration kDay = Duration::seconds(86'400);
// RFC 2181 8 allows 68 years; what a cache of today keeps is at most a week.
constexpr Duration kMaxTtl = Duration::seconds(7 * 86'400);
constexpr Duration kMaxPropagation = Duration::seconds(30 * 86'400);
constexpr Duration kMaxLifetime = Duration::seconds(20LL * 366 * 86'400);
constexpr std::size_t kMaxZones = 65'536;
// Of a lifetime, these must fit in: published before, signing, and published after.
constexpr std::int64_t kLeastLives = 2;

constexpr std::uint16_t kDnsPort = 53;

// A name as zones have it, or "*".
Codec<std::string> zone_or_all() {
  const Codec<std::string> name = domain_name();
  return {name.type + ", or \"*\"",
          [name](const Value& value, std::string& out) -> std::string {
            if (value.kind == Value::Kind::kString && value.text == "*") {
              out = "*";
              return {};
            }
            std::string wrong = name.read(value, out);
            std::transform(out.begin(), out.end(), out.begin(), [](char c) {
              return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
            });
            return wrong;
          },
          name.write};
}

std::string check_zone(const DnsdDnssecZoneConfig& it) {
  const std::pair<const char*, Duration> times[] = {{"ksk_lifetime", it.ksk_lifetime},
                                                    {"zsk_lifetime", it.zsk_lifetime},
                                                    {"dnskey_ttl", it.dnskey_ttl},
                                                    {"max_zone_ttl", it.max_zone_ttl},
                                                    {"ds_ttl", it.ds_ttl},
                                                    {"propagation", it.propagation},
                                                    {"parent_propagation", it.parent_propagation}};
  for (const auto& [name, time] : times) {
    if (time.ns() % 1'000'000'000 != 0) return std::string(name) + " is no whole number of seconds";
  }
  const Duration roll = it.dnskey_ttl + it.max_zone_ttl + it.propagation * 2;
  const auto too_short = [&](Duration lifetime) {
    return lifetime != Duration() && lifetime < roll * kLeastLives;
  };
  if (it.keys == DnssecKeys::kKskZsk && too_short(it.zsk_lifetime)) {
    return "zsk_lifetime is too short for its rolls: with these TTLs at least " +
           format(roll * kLeastLives);
  }
  const Duration with_parent = roll + it.ds_ttl + it.parent_propagation;
  if (it.ksk_lifetime != Duration() && it.ksk_lifetime < with_parent * kLeastLives) {
    return "ksk_lifetime is too short for its rolls: with these TTLs at least " +
           format(with_parent * kLeastLives);
  }
  return {};
}

void add_times(Schema<DnsdDnssecZoneConfig>& out) {
  using Zone = DnsdDnssecZoneConfig;
  out.field("dnskey_ttl", &Zone::dnskey_ttl, duration(Duration::seconds(1), kMaxTtl),
            "The TTL of the DNSKEY set.")
      .field("max_zone_ttl", &Zone::max_zone_ttl, duration(Duration::seconds(1), kMaxTtl),
             "The longest TTL of the zone's other records: a key stays for so long after its last "
             "signature.")
      .field("ds_ttl", &Zone::ds_ttl, duration(Duration::seconds(1), kMaxTtl),
             "The TTL of the DS set at the parent.")
      .field("propagation", &Zone::propagation, duration(Duration::seconds(1), kMaxPropagation),
             "How long it takes until every server of the zone has other keys and has signed by "
             "them: more than the time between two copies of the keys, where several have them.")
      .field("parent_propagation", &Zone::parent_propagation,
             duration(Duration::seconds(1), kMaxPropagation),
             "How long it takes from when a change of the DS set was seen at the parent until all "
             "of its servers have it.");
}

Schema<DnsdDnssecZoneConfig> zone_schema() {
  using Zone = DnsdDnssecZoneConfig;
  Schema<Zone> out;
  out.required("name", &Zone::name, zone_or_all(),
               "The zone; \"*\" stands for every zone that has no table of its own.")
      .field(
          "algorithm", &Zone::algorithm,
          one_of<DnssecAlgorithm>({{"ecdsa-p256", DnssecAlgorithm::kEcdsaP256},
                                   {"ed25519", DnssecAlgorithm::kEd25519}}),
          "The keys' algorithm. Another one than before begins a roll of algorithms, which takes "
          "until the parent has followed.")
      .field("keys", &Zone::keys,
             one_of<DnssecKeys>({{"csk", DnssecKeys::kCsk}, {"ksk-zsk", DnssecKeys::kKskZsk}}),
             "One key for all (`csk`), or a key that signs the keys and another that signs all "
             "else (`ksk-zsk`).")
      .field("roll", &Zone::roll, boolean(),
             "Make the zone's keys here and roll them. `false` on servers that only use keys which "
             "another one makes: they take what is put into the directory.")
      .field("unsign", &Zone::unsign, boolean(),
             "Lead the zone out of DNSSEC: the parent is asked by CDS to remove its DS, and when "
             "that is gone from all caches, the zone is unsigned. To remove this table at once "
             "would make the zone bogus.")
      .field("ksk_lifetime", &Zone::ksk_lifetime, duration(Duration(), kMaxLifetime),
             "How long a key with a DS at the parent is used. \"0s\": until `timepool dns keys "
             "roll`, which suits parents that do not look for CDS.")
      .field("zsk_lifetime", &Zone::zsk_lifetime, duration(Duration(), kMaxLifetime),
             "How long a key that signs data alone is used. \"0s\": until somebody asks.");
  add_times(out);
  out.check([](const Zone& it) { return check_zone(it); });
  return out;
}

std::string check_dnssec(const DnsdDnssecConfig& it) {
  if (!it.zones.empty() && it.directory.empty()) {
    return "directory: where the keys are kept must be given";
  }
  std::vector<std::string> names;
  for (const DnsdDnssecZoneConfig& zone : it.zones) names.push_back(zone.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return "zone: \"" + *twice + "\" is there twice";
  for (const Duration time : {it.inception, it.pool_signatures, it.static_signatures}) {
    if (time.ns() % 1'000'000'000 != 0) return "times of signatures are whole seconds";
  }
  return {};
}

}  // namespace

Schema<DnsdDnssecConfig> dnsd_dnssec_schema() {
  using Dnssec = DnsdDnssecConfig;
  Schema<Dnssec> out;
  out.field("directory", &Dnssec::directory, text(4000),
            "Where keys and what is done with them are kept; this program alone may read it. Made "
            "when it is not there.")
      .field(
          "resolver", &Dnssec::resolver, maybe(endpoint(kDnsPort)),
          "Address and port of a resolver that is asked for the zones' DS while a roll waits for "
          "the parent: one that validates, on this machine or in a network of one's own. An answer "
          "that it has not validated is not believed, unless it is a server of the zone above. Not "
          "given: `timepool dns keys ds-seen` tells it.")
      .field(
          "variants", &Dnssec::variants, integer(1u, 256u),
          "How many differently drawn answers of a name with weights are signed ahead at the most; "
          "of a name with fewer possible answers, all of them. Where there are very many names, "
          "one "
          "has as many as it is asked for.")
      .field("redraw_signatures", &Dnssec::redraw_signatures, integer(100u, 1'000'000u),
             "How many signatures are made in a second at the most to draw answers anew that were "
             "handed out, those handed out most often first. A thousand take about 4 % of a core.")
      .field(
          "online_signatures", &Dnssec::online_signatures, integer(0u, 100'000u),
          "How many signatures each thread makes in a second while it answers, for names that do "
          "not exist and for wildcards; as many again for clients by TCP or with a good cookie. "
          "Past it others are told to come by TCP.")
      .field("inception", &Dnssec::inception, duration(Duration(), kDay * 7),
             "How long before the present signatures begin: clients of a time pool may have wrong "
             "clocks.")
      .field("pool_signatures", &Dnssec::pool_signatures,
             duration(Duration::seconds(600), kDay * 30),
             "How long signatures over names with weights hold.")
      .field("static_signatures", &Dnssec::static_signatures,
             duration(Duration::seconds(600), kDay * 60), "How long all others hold.")
      .field("renew_percent", &Dnssec::renew_percent, integer(10u, 90u),
             "A signature is made anew when less than this share of its time is left.")
      .tables("zone", &Dnssec::zones, zone_schema(), "Zones that are signed. Without any, none is.",
              kMaxZones)
      .check([](const Dnssec& it) { return check_dnssec(it); });
  return out;
}

const DnsdDnssecZoneConfig* dnssec_zone(const DnsdDnssecConfig& config, std::string_view name) {
  const DnsdDnssecZoneConfig* all = nullptr;
  for (const DnsdDnssecZoneConfig& zone : config.zones) {
    if (zone.name == name) return &zone;
    if (zone.name == "*") all = &zone;
  }
  return all;
}

}  // namespace timepool::config
