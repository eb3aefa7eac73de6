#include "pool/nts_zone.h"

#include <gmock/gmock.h>

#include "pool/zone.h"

namespace timepool::pool {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ZoneSettings settings() {
  ZoneSettings out;
  out.nts.parent = "m";
  out.nts.authorities = {"ca.test"};
  return out;
}

Candidate candidate(std::uint32_t host, std::uint32_t netspeed, const std::string& country = "de",
                    const std::string& continent = "europe") {
  Candidate out;
  out.address = IpAddress::v4(0xc6336400u + host * 256);
  out.country = country;
  out.continent = continent;
  out.netspeed = netspeed;
  out.in_pool = true;
  out.score = 20;
  return out;
}

NamedServer named(const std::string& label, const Candidate& server, bool listed = true) {
  NamedServer out;
  out.label = label;
  out.target = label + ".m.pool.test";
  out.addresses = {server.address};
  out.listed = listed;
  out.candidate = server;
  return out;
}

std::vector<std::string> targets(const Zone& zone, const std::string& label) {
  const auto at = zone.labels.find(label);
  std::vector<std::string> out;
  if (at == zone.labels.end()) return out;
  for (const ServiceRecord& record : at->second.srv) out.push_back(record.target);
  return out;
}

TEST(NtsZone, lo1_a_name_has_its_addresses_before_anything_else_is_known_of_it) {
  const Candidate server = candidate(1, 1000);
  NamedServer alice = named("alice", server, false);
  alice.addresses.push_back(parse_ip("2001:db8::1").value());
  const Zone zone = build_zone({&server, 1}, settings(), {&alice, 1});
  const Label& label = zone.labels.at("alice.m");
  // Without weights: whoever asks gets all of them.
  EXPECT_THAT(label.a, ElementsAre(WeightedAddress{server.address, 0}));
  EXPECT_THAT(label.aaaa, ElementsAre(WeightedAddress{parse_ip("2001:db8::1").value(), 0}));
  EXPECT_EQ(label.max_hosts, kMaxNameAddresses);
  EXPECT_EQ(label.ttl, 60u);
  EXPECT_THAT(targets(zone, "_ntske._tcp"), IsEmpty());
  EXPECT_FALSE(zone.labels.contains("_ntske._tcp"));
}

TEST(NtsZone, lo6_only_the_members_account_at_the_named_authority_may_order_and_by_two_methods) {
  NamedServer alice = named("alice", candidate(1, 1000));
  EXPECT_THAT(caa_of(alice, settings().nts),
              ElementsAre("0 issue \"ca.test; validationmethods=http-01,tls-alpn-01\"",
                          "0 issuewild \";\""));
  alice.account_uris = {"https://ca.test/acct/1", "https://ca.test/acct/2"};
  EXPECT_THAT(caa_of(alice, settings().nts),
              ElementsAre("0 issue \"ca.test; validationmethods=http-01,tls-alpn-01; "
                          "accounturi=https://ca.test/acct/1\"",
                          "0 issue \"ca.test; validationmethods=http-01,tls-alpn-01; "
                          "accounturi=https://ca.test/acct/2\"",
                          "0 issuewild \";\""));
  NtsSettings any = settings().nts;
  any.authorities.clear();
  EXPECT_THAT(caa_of(alice, any), ElementsAre("0 issuewild \";\""));
  any = settings().nts;
  any.methods.clear();
  alice.account_uris.clear();
  EXPECT_THAT(caa_of(alice, any), ElementsAre("0 issue \"ca.test\"", "0 issuewild \";\""));
}

TEST(NtsZone, lo4_nobody_may_issue_where_no_name_is) {
  const Zone zone = build_zone({}, settings());
  EXPECT_THAT(zone.labels.at("m").caa, ElementsAre("0 issue \";\""));
  EXPECT_FALSE(zone.labels.contains("alice.m"));
  EXPECT_FALSE(zone.labels.contains("*.m")) << "a wildcard would answer for what is gone";
  ZoneSettings none = settings();
  none.nts.parent.clear();
  EXPECT_FALSE(build_zone({}, none).labels.contains("m"));
}

TEST(NtsZone, lo2_only_the_listed_stand_in_srv_records_of_country_continent_and_world) {
  const std::vector<Candidate> servers{candidate(1, 1000), candidate(2, 500),
                                       candidate(3, 100, "jp", "asia")};
  std::vector<NamedServer> all{named("alice", servers[0]), named("bob", servers[1], false),
                               named("carol", servers[2])};
  ZoneSettings narrow = settings();
  narrow.selection.min_servers = 0;
  narrow.selection.min_capacity = 0;
  const Zone zone = build_zone(servers, narrow, all);
  EXPECT_THAT(targets(zone, "_ntske._tcp"),
              ElementsAre("alice.m.pool.test.", "carol.m.pool.test."));
  EXPECT_THAT(targets(zone, "_ntske._tcp.de"), ElementsAre("alice.m.pool.test."));
  EXPECT_THAT(targets(zone, "_ntske._tcp.europe"), ElementsAre("alice.m.pool.test."));
  EXPECT_THAT(targets(zone, "_ntske._tcp.jp"), ElementsAre("carol.m.pool.test."));
  EXPECT_TRUE(zone.labels.contains("bob.m"));
  EXPECT_EQ(zone.reports.at("").nts, (FamilyReport{2, 0, 1100, 0}));
}

TEST(NtsZone, names_with_servers_and_none_with_nts_are_filled_from_the_nearest) {
  const std::vector<Candidate> servers{candidate(1, 1000), candidate(2, 500, "fr"),
                                       candidate(4, 500, "gb")};
  const std::vector<NamedServer> all{named("alice", servers[0])};
  const Zone zone = build_zone(servers, settings(), all);
  EXPECT_THAT(targets(zone, "_ntske._tcp.fr"), ElementsAre("alice.m.pool.test."));
  EXPECT_THAT(targets(zone, "_ntske._tcp.uk"), ElementsAre("alice.m.pool.test."));
  EXPECT_EQ(zone.labels.at("_ntske._tcp.gb").alias, "_ntske._tcp.uk");
  EXPECT_EQ(zone.reports.at("fr").nts, (FamilyReport{0, 1, 1000, 0}));
}

TEST(NtsZone, weights_follow_netspeed_and_stand_in_the_records_only_where_all_are_answered) {
  std::vector<NamedServer> all{named("alice", candidate(1, 300'000)),
                               named("bob", candidate(2, 150'000)),
                               named("carol", candidate(3, 1))};
  all[1].port = 4461;
  ZoneSettings free = settings();
  free.selection.max_server_share = 1;
  const Zone few = build_zone({}, free, all);
  EXPECT_THAT(few.labels.at("_ntske._tcp").srv,
              ElementsAre(ServiceRecord{"alice.m.pool.test.", 4460, 65'535, 0},
                          ServiceRecord{"bob.m.pool.test.", 4461, 32'767, 0},
                          ServiceRecord{"carol.m.pool.test.", 4460, 1, 0}));
  free.nts.max_targets = 2;
  const Zone drawn = build_zone({}, free, all);
  EXPECT_EQ(drawn.labels.at("_ntske._tcp").max_hosts, 2u);
  EXPECT_THAT(drawn.labels.at("_ntske._tcp").srv,
              ElementsAre(ServiceRecord{"alice.m.pool.test.", 4460, 1, 300'000},
                          ServiceRecord{"bob.m.pool.test.", 4461, 1, 150'000},
                          ServiceRecord{"carol.m.pool.test.", 4460, 1, 1}));
}

TEST(NtsZone, lo3_a_name_that_the_member_brings_is_a_target_and_nothing_more) {
  NamedServer own = named("", candidate(1, 1000));
  own.target = "time.example.org";
  const Zone zone = build_zone({}, settings(), {&own, 1});
  EXPECT_THAT(targets(zone, "_ntske._tcp"), ElementsAre("time.example.org."));
  EXPECT_FALSE(zone.labels.contains(".m"));
  EXPECT_FALSE(zone.labels.contains("time.example.org"));
}

TEST(NtsZone, json_is_geodns_format_with_caa_as_master_files_have_it) {
  ZoneSettings set = settings();
  set.nts.methods.clear();
  const NamedServer alice = named("alice", candidate(1, 1000, "", ""));
  EXPECT_EQ(to_geodns_json(build_zone({}, set, {&alice, 1}), 1),
            R"({"serial":1,"ttl":150,"negative_ttl":60,"max_hosts":4,)"
            R"("contact":"hostmaster.pool.test",)"
            R"("targeting":"@ continent country","data":{"":{},)"
            R"("_ntske._tcp":{"ttl":60,"max_hosts":4,"srv":[{"target":"alice.m.pool.test.",)"
            R"("port":4460,"srv_weight":65535}]},)"
            R"("alice.m":{"ttl":60,"max_hosts":8,"a":[["198.51.101.0",0]],)"
            R"("caa":["0 issue \"ca.test\"","0 issuewild \";\""]},)"
            R"("m":{"ttl":60,"caa":["0 issue \";\""]}}})");
}

}  // namespace
}  // namespace timepool::pool
