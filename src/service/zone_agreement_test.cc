// What pool/ writes is what dns/ reads: the zone of a snapshot means to dnsd what the manager
// meant.
#include <gtest/gtest.h>

#include "base/prng.h"
#include "dns/zone/zone.h"
#include "pool/zone.h"
#include "service/settings.h"

namespace timepool::service {
namespace {

constexpr const char* kCountries[] = {"de", "gb", "us", "jp", ""};
constexpr const char* kContinents[] = {"europe", "europe", "north-america", "asia", ""};

std::vector<pool::Candidate> candidates() {
  std::vector<pool::Candidate> out;
  for (std::uint32_t i = 0; i < 200; ++i) {
    pool::Candidate next;
    next.address = IpAddress::v4(0xc6336400u + i);
    next.country = kCountries[i % 5];
    next.continent = kContinents[i % 5];
    next.netspeed = 1000 + i;
    next.in_pool = true;
    next.score = i % 7 == 0 ? 5.0 : 20.0;
    if (i % 2 == 1) {
      std::vector<std::byte> bytes(16, static_cast<std::byte>(i));
      next.address = IpAddress::from_bytes(bytes);
    }
    out.push_back(next);
  }
  return out;
}

std::size_t records(const dns::Label& label, wire::dns::RrType type) {
  const dns::RecordSet* set = label.find(type);
  return set == nullptr ? 0 : set->records.size();
}

TEST(ZoneAgreement, dns_reads_every_label_as_it_was_meant) {
  pool::ZoneSettings settings;
  settings.name_servers = {"ns1.pool.test", "ns.example."};
  settings.hosts = {{"ns1", {IpAddress::v4(0x7f000001)}}};
  const pool::Zone zone = pool::build_zone(candidates(), settings);
  const std::string json = pool::to_geodns_json(zone, 4'000'000'000u);
  const auto read = dns::load_zone(json, "pool.test", 0);
  ASSERT_TRUE(read.ok()) << dns::format(read.error(), "zone") << "\n" << json;
  EXPECT_TRUE(read->warnings.empty());
  EXPECT_EQ(read->serial, 4'000'000'000u);
  EXPECT_EQ(read->ttl, 150u);
  EXPECT_EQ(read->soa_minimum, 60u);
  EXPECT_EQ(read->max_hosts, 4u);
  EXPECT_EQ(read->targeting, dns::Targeting());
  for (const auto& [name, label] : zone.labels) {
    const dns::Label* found = read->find(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->alias.value_or(""), label.alias) << name;
    EXPECT_EQ(records(*found, wire::dns::RrType::kA), label.a.size()) << name;
    EXPECT_EQ(records(*found, wire::dns::RrType::kAaaa), label.aaaa.size()) << name;
    for (std::size_t i = 0; i < label.a.size(); ++i) {
      const dns::ZoneRecord& record = found->find(wire::dns::RrType::kA)->records[i];
      const Bytes address = label.a[i].address.bytes();
      EXPECT_TRUE(
          std::equal(address.begin(), address.end(), record.rdata.begin(), record.rdata.end()));
      EXPECT_EQ(record.weight, label.a[i].weight);
    }
  }
  EXPECT_EQ(records(*read->find(""), wire::dns::RrType::kNs), 2u);
}

// The names of every second candidate for NTS; all but one of three are listed.
std::vector<pool::NamedServer> named() {
  std::vector<pool::NamedServer> out;
  std::uint32_t number = 0;
  for (const pool::Candidate& candidate : candidates()) {
    if (++number % 2 == 0) continue;
    pool::NamedServer next;
    next.label = "server-" + std::to_string(number);
    next.target = next.label + ".m.pool.test";
    next.addresses = {candidate.address};
    next.account_uris = {"https://ca.test/" + std::string(239, 'x'), "https://ca.test/2"};
    next.port = static_cast<std::uint16_t>(4460 + number);
    next.listed = number % 3 != 0;
    next.candidate = candidate;
    out.push_back(next);
  }
  return out;
}

std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(ZoneAgreement, dns_reads_names_for_nts_srv_and_caa_as_they_were_meant) {
  config::PooldConfig config;
  pool::ZoneSettings settings = settings_of(config).zone;
  settings.territories.clear();
  const pool::Zone zone = pool::build_zone(candidates(), settings, named());
  const auto read = dns::load_zone(pool::to_geodns_json(zone, 1), "pool.test", 0);
  ASSERT_TRUE(read.ok()) << dns::format(read.error(), "zone");
  EXPECT_TRUE(read->warnings.empty());
  std::size_t srv = 0;
  for (const auto& [name, label] : zone.labels) {
    const dns::Label* found = read->find(name);
    ASSERT_NE(found, nullptr) << name;
    ASSERT_EQ(records(*found, wire::dns::RrType::kSrv), label.srv.size()) << name;
    ASSERT_EQ(records(*found, wire::dns::RrType::kCaa), label.caa.size()) << name;
    if (label.ttl > 0) {
      EXPECT_EQ(found->ttl, label.ttl) << name;
    }
    for (std::size_t i = 0; i < label.srv.size(); ++i, ++srv) {
      const dns::ZoneRecord& record = found->find(wire::dns::RrType::kSrv)->records[i];
      const auto number = [&](std::size_t at) {
        return std::to_integer<unsigned>(record.rdata[at]) << 8 |
               std::to_integer<unsigned>(record.rdata[at + 1]);
      };
      EXPECT_EQ(number(0), 0u) << "priority";
      EXPECT_EQ(number(2), label.srv[i].srv_weight);
      EXPECT_EQ(number(4), label.srv[i].port);
      EXPECT_EQ(record.weight, label.srv[i].weight);
      const auto target = wire::dns::NameView::from_valid_wire(Bytes(record.rdata).subspan(6));
      EXPECT_EQ(format(target), label.srv[i].target);
    }
  }
  EXPECT_GT(srv, 100u);
  const dns::RecordSet* caa = read->find("server-1.m")->find(wire::dns::RrType::kCaa);
  const std::string first = text_of(caa->records[0].rdata);
  EXPECT_EQ(first.substr(2, 5 + 15), "issueletsencrypt.org");
  EXPECT_TRUE(first.ends_with("; accounturi=https://ca.test/" + std::string(239, 'x')));
  EXPECT_EQ(text_of(read->find("m")->find(wire::dns::RrType::kCaa)->records[0].rdata),
            std::string("\0\5issue;", 8));
}

// 6,000 servers, unevenly over all countries of the world, as the NTP Pool's are.
std::vector<pool::Candidate> world(std::span<const pool::Territory> territories) {
  std::vector<pool::Candidate> out;
  Prng random(3);
  for (std::uint32_t i = 0; i < 6000; ++i) {
    // Half of the countries have no server, and the first hold most.
    const std::size_t first = random.below(territories.size() / 2);
    const pool::Territory& where = territories[random.below(first + 1)];
    pool::Candidate next;
    next.address = IpAddress::v4(0x08000000u + i * 77);
    next.country = where.country;
    next.continent = where.continent;
    next.netspeed = static_cast<std::uint32_t>(1000 * (1 + random.below(1000)));
    next.in_pool = true;
    next.score = 20;
    out.push_back(next);
  }
  return out;
}

TEST(ZoneAgreement, a_pool_of_the_world_leaves_no_name_with_fewer_servers_than_it_needs) {
  config::PooldConfig config;
  pool::ZoneSettings settings = settings_of(config).zone;
  const auto servers = world(settings.territories);
  const pool::Zone zone = pool::build_zone(servers, settings);
  EXPECT_GT(zone.reports.size(), settings.territories.size());
  for (const auto& [name, report] : zone.reports) {
    EXPECT_GE(report.v4.own + report.v4.filled, settings.selection.min_servers) << name;
    std::uint64_t sum = 0;
    std::uint64_t largest = 0;
    for (const pool::WeightedAddress& server : zone.labels.at(name).a) {
      sum += server.weight;
      largest = std::max<std::uint64_t>(largest, server.weight);
    }
    EXPECT_EQ(sum, report.v4.capacity) << name;
    EXPECT_LE(static_cast<double>(largest), 0.2501 * static_cast<double>(sum)) << name;
  }
  const std::string json = pool::to_geodns_json(zone, 1);
  const auto read = dns::load_zone(json, "pool.test", 0);
  ASSERT_TRUE(read.ok()) << dns::format(read.error(), "zone");
  RecordProperty("labels", static_cast<int>(zone.labels.size()));
  RecordProperty("bytes", static_cast<int>(json.size()));
}

}  // namespace
}  // namespace timepool::service
