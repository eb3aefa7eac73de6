// RFC 7871 7.2.1: what is answered for a client's subnet is true of the whole scope that is told.
// For random zones, geographies and subnets, every address inside the scope is drawn the very same
// answer from the same random numbers, so answers have the same distribution for all of them.
#include <gtest/gtest.h>

#include <algorithm>

#include "dns/signed_testing.h"
#include "dns/testing.h"
#include "dns/zone/random_zone.h"

namespace timepool::dns {
namespace {

using dns::testing::Got;
using wire::dns::RrType;
using wire::dns::Section;

// All that is told of addresses lies here; random_zone's "[198.18.9.0]" does too.
const Prefix kWorld4 = parse_prefix("198.16.0.0/12").value();
const Prefix kWorld6 = parse_prefix("2001:db8::/32").value();

IpAddress random_address(Prng& prng, const Prefix& within) {
  std::vector<std::byte> octets(within.base().bytes().begin(), within.base().bytes().end());
  for (int bit = within.length(); bit < static_cast<int>(octets.size()) * 8; ++bit) {
    if (prng.below(2) == 0) continue;
    octets[static_cast<std::size_t>(bit / 8)] ^= static_cast<std::byte>(0x80U >> (bit % 8));
  }
  return IpAddress::from_bytes(octets);
}

Prefix random_prefix(Prng& prng) {
  const bool v4 = prng.below(2) == 0;
  const Prefix& world = v4 ? kWorld4 : kWorld6;
  const auto most = static_cast<std::uint64_t>((v4 ? 32 : 64) - world.length());
  const int length = world.length() + static_cast<int>(prng.below(most + 1));
  return {random_address(prng, world), length};
}

template <class Key>
void put(std::vector<PrefixValue<Key>>& out, const Prefix& prefix, std::uint32_t value) {
  out.push_back({key_of<Key>(prefix.base()), prefix.length(), value});
}

// Countries, systems and positions of networks within each other, of both families.
GeoTable random_geography(Prng& prng) {
  static constexpr std::array kCountries{"us", "de", "fr", "jp", "cn", "ke", "br"};
  std::vector<PrefixValue<V4Key>> country4, asn4, position4;
  std::vector<PrefixValue<V6Key>> country6, asn6, position6;
  for (int i = 0; i < 60; ++i) {
    const Prefix prefix = random_prefix(prng);
    const std::uint32_t country = CountryCode::from_text(kCountries[prng.below(7)]).bits();
    const std::uint32_t asn = 64500 + static_cast<std::uint32_t>(prng.below(2));
    const auto degrees = [&](int most) {
      return static_cast<double>(prng.below(static_cast<std::uint64_t>(most) * 2)) - most;
    };
    const std::uint32_t position = GeoPosition::from_degrees(degrees(89), degrees(179)).bits();
    const bool v4 = prefix.base().is_v4();
    switch (prng.below(3)) {
      case 0:
        v4 ? put(country4, prefix, country) : put(country6, prefix, country);
        break;
      case 1:
        v4 ? put(asn4, prefix, asn) : put(asn6, prefix, asn);
        break;
      default:
        v4 ? put(position4, prefix, position) : put(position6, prefix, position);
    }
  }
  GeoTable out;
  out.country4 = Runs<V4Key>::flatten(country4);
  out.asn4 = Runs<V4Key>::flatten(asn4);
  out.position4 = Runs<V4Key>::flatten(position4);
  out.country6 = Runs<V6Key>::flatten(country6);
  out.asn6 = Runs<V6Key>::flatten(asn6);
  out.position6 = Runs<V6Key>::flatten(position6);
  return out;
}

// A zone of every kind of name, some of whose addresses are chosen by where the client is.
Zone zone_of(Prng& prng, bool by_place) {
  Zone zone = dns::testing::random_zone(prng, "r.test");
  for (Label& label : zone.labels) {
    label.closest = by_place && prng.below(2) == 0;
    for (RecordSet& set : label.sets) {
      const bool v4 = set.type == RrType::kA;
      if (!label.closest || (!v4 && set.type != RrType::kAaaa)) continue;
      for (int more = 0; more < 12; ++more) {
        const IpAddress server = random_address(prng, v4 ? kWorld4 : kWorld6);
        const Bytes octets = server.bytes();
        set.records.push_back({{octets.begin(), octets.end()}, 100});
      }
    }
  }
  return zone;
}

class Pool {
 public:
  Pool(std::uint64_t seed, bool by_place, bool is_signed) : prng_(seed) {
    const GeoTable geo = random_geography(prng_);
    const Zone zone = zone_of(prng_, by_place);
    const Zone* zones[] = {&zone};
    ClassCache cache;
    auto compiled = CompiledZones::compile(zones, geo, cache);
    EXPECT_TRUE(compiled.ok());
    zones_ = std::move(compiled).value();
    if (!is_signed) return;
    keys_ = dns::testing::keys_for({"r.test"});
    plan_.emplace(zones_, keys_, SigningOptions());
    signed_ = dns::testing::sign_all(*plan_, 1, 8);
  }

  Prng& prng() { return prng_; }

  Got ask(const std::string& name, RrType type, const Prefix& subnet, std::uint64_t seed) const {
    dns::testing::Ask question{.name = name, .type = type, .subnet = format(subnet)};
    question.dnssec_ok = signed_ != nullptr;
    Worker worker(seed);
    Got out;
    out.bytes.resize(65535);
    const Rx rx{parse_ip("100.64.0.1").value(), true, dns::testing::kNow};
    out.outcome = respond(rx, dns::testing::query_bytes(question),
                          {*zones_, settings_, signed_.get()}, worker, out.bytes);
    out.bytes.resize(out.outcome.length);
    auto message = wire::dns::parse_message(out.bytes);
    EXPECT_TRUE(message.ok());
    if (message.ok()) out.message = std::move(message).value();
    return out;
  }

 private:
  Prng prng_;
  std::shared_ptr<const CompiledZones> zones_;
  dnssec::KeysByZone keys_;
  std::optional<SigningPlan> plan_;
  std::shared_ptr<const SignedZones> signed_;
  ResponderSettings settings_ = dns::testing::settings();
};

std::vector<std::string> all_records(const Got& got) {
  std::vector<std::string> out = got.answers();
  for (const auto& more : {got.authority(), got.additional()}) {
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

// How many of the questions had a scope that tells some clients apart.
int check_scopes(Pool& pool, int questions) {
  static constexpr std::array kTypes{RrType::kA,     RrType::kAaaa,  RrType::kTxt,
                                     RrType::kSrv,   RrType::kCname, RrType::kMx,
                                     RrType::kHttps, RrType::kNs,    RrType::kDs};
  Prng& prng = pool.prng();
  int apart = 0;
  for (int i = 0; i < questions; ++i) {
    std::string name = dns::testing::kRandomNames[prng.below(dns::testing::kRandomNames.size())];
    if (name.find('[') != std::string::npos) name = "";
    if (prng.below(4) == 0) name = name.empty() ? "w" : "w." + name;
    name += name.empty() ? "r.test" : ".r.test";
    const RrType type = kTypes[prng.below(kTypes.size())];
    const Prefix subnet = random_prefix(prng);
    const std::uint64_t seed = prng.below(1000);
    const Got got = pool.ask(name, type, subnet, seed);
    const int scope = got.scope();
    EXPECT_GE(scope, 0);
    apart += scope > 0;
    const Prefix whole(subnet.base(), scope);
    for (int other = 0; other < 6; ++other) {
      const IpAddress address = random_address(prng, whole);
      const Prefix host(address, address.is_v4() ? 32 : 128);
      const Got same = pool.ask(name, type, host, seed);
      EXPECT_EQ(same.scope(), scope) << format(host) << " in " << format(whole);
      EXPECT_EQ(same.outcome.rcode, got.outcome.rcode);
      EXPECT_EQ(same.outcome.set, got.outcome.set);
      EXPECT_EQ(all_records(same), all_records(got))
          << name << " " << format(type) << " " << format(host) << " in " << format(whole);
      if (::testing::Test::HasFailure()) return apart;
    }
  }
  return apart;
}

void check_all(bool by_place, bool is_signed, std::uint64_t seeds) {
  int apart = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pool pool(seed, by_place, is_signed);
    apart += check_scopes(pool, 60);
    if (::testing::Test::HasFailure()) return;
  }
  // Otherwise it would show nothing.
  EXPECT_GT(apart, static_cast<int>(seeds) * 4);
}

TEST(ScopeProperty, every_address_in_the_scope_is_drawn_the_same_answer) {
  check_all(false, false, 30);
}

TEST(ScopeProperty, every_address_in_the_scope_has_the_same_closest_servers) {
  check_all(true, false, 30);
}

TEST(ScopeProperty, every_address_in_the_scope_is_drawn_the_same_signed_answer) {
  check_all(false, true, 10);
  check_all(true, true, 10);
}

}  // namespace
}  // namespace timepool::dns
