// Answers beyond a name's own records: delegations and glue, wildcards, additional addresses.
#include "dns/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.h"
#include "dns/responder.h"
#include "dns/testing.h"

namespace timepool::dns {
namespace {

using dns::testing::ask;
using dns::testing::Ask;
using dns::testing::Got;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using wire::dns::Header;
using wire::dns::Rcode;
using wire::dns::RrType;

bool is_authoritative(const Got& got) {
  return got.message->header().has(Header::kAa);
}

// A zone with cuts: "sub" with servers below it and beside it, "far" with one elsewhere, "own",
// whose child zone is served here too.
const CompiledZones& delegating() {
  static const auto zones = [] {
    std::vector<Zone> out;
    out.push_back(load_zone(R"({"serial": 1, "ttl": 60, "data": {
        "": {"ns": ["ns1.pool.test.", "ns.example."],
             "mx": [{"mx": "ns1.pool.test.", "preference": 1}]},
        "ns1": {"a": [["192.0.2.1"]], "aaaa": [["2001:db8::1"]]},
        "sub": {"ns": ["ns.sub.pool.test.", "ns1.pool.test.", "deep.er.sub.pool.test."],
                "a": [["192.0.2.77"]]},
        "ns.sub": {"a": [["192.0.2.2"], ["192.0.2.3"], ["192.0.2.4"]], "txt": "hidden"},
        "deep.er.sub": {"aaaa": [["2001:db8::2"]]},
        "far": {"ns": ["ns.example."]},
        "own": {"ns": ["ns.own.pool.test."]}, "ns.own": {"a": [["192.0.2.99"]]},
        "to-sub": {"cname": "www.sub"},
        "x.y": {"txt": "below an empty one"}}})",
                            "pool.test", 1)
                      .value());
    for (Label& label : out[0].labels) {
      if (label.name != "sub" && label.name != "own") continue;
      const RecordSet ds{RrType::kDs, {{from_hex("00010d02" + std::string(64, 'a')).value(), 0}}};
      label.sets.push_back(ds);
    }
    out.push_back(
        load_zone(R"({"data": {"": {"ns": ["ns.own.pool.test."]}, "ns": {"a": [["192.0.2.5"]]}}})",
                  "own.pool.test", 1)
            .value());
    return dns::testing::compile(out);
  }();
  return *zones;
}

TEST(Delegation, is_referred_with_its_name_servers_and_glue) {
  for (const char* name : {"sub.pool.test", "www.sub.pool.test", "ns.sub.pool.test",
                           "er.sub.pool.test", "a.b.c.sub.pool.test"}) {
    const Got got = ask(delegating(), {.name = name});
    EXPECT_EQ(got.outcome.reason, Reason::kReferral) << name;
    EXPECT_EQ(got.message->rcode(), Rcode::kNoError);
    EXPECT_FALSE(is_authoritative(got));
    EXPECT_THAT(got.answers(), IsEmpty());
    EXPECT_THAT(got.authority(),
                UnorderedElementsAre("sub.pool.test. 86400 IN NS ns.sub.pool.test.",
                                     "sub.pool.test. 86400 IN NS ns1.pool.test.",
                                     "sub.pool.test. 86400 IN NS deep.er.sub.pool.test."));
    EXPECT_THAT(got.additional(),
                UnorderedElementsAre(
                    "ns.sub.pool.test. 60 IN A 192.0.2.2", "ns.sub.pool.test. 60 IN A 192.0.2.3",
                    "ns.sub.pool.test. 60 IN A 192.0.2.4", "ns1.pool.test. 60 IN A 192.0.2.1",
                    "ns1.pool.test. 60 IN AAAA 2001:db8::1",
                    "deep.er.sub.pool.test. 60 IN AAAA 2001:db8::2"));
  }
}

TEST(Delegation, keeps_the_case_of_the_question_and_takes_any_type) {
  for (const RrType type : {RrType::kNs, RrType::kSoa, RrType::kAny, RrType::kTxt}) {
    const Got got = ask(delegating(), {.name = "A.FaR.pool.test", .type = type});
    EXPECT_EQ(got.outcome.reason, Reason::kReferral);
    EXPECT_THAT(got.authority(), ElementsAre("FaR.pool.test. 86400 IN NS ns.example."));
    EXPECT_THAT(got.additional(), IsEmpty());
  }
}

TEST(Delegation, ds_is_answered_from_above_the_cut) {
  const Got got = ask(delegating(), {.name = "sub.pool.test", .type = RrType::kDs});
  EXPECT_EQ(got.outcome.reason, Reason::kAnswered);
  EXPECT_TRUE(is_authoritative(got));
  EXPECT_THAT(got.answers(), ElementsAre("sub.pool.test. 60 IN DS 1 13 2 " + std::string(64, 'A')));
  const Got none = ask(delegating(), {.name = "far.pool.test", .type = RrType::kDs});
  EXPECT_EQ(none.outcome.reason, Reason::kNoData);
  EXPECT_TRUE(is_authoritative(none));
  EXPECT_THAT(none.authority(), ElementsAre(StartsWith("pool.test. 600 IN SOA")));
  EXPECT_EQ(ask(delegating(), {.name = "x.far.pool.test", .type = RrType::kDs}).outcome.reason,
            Reason::kReferral);
}

TEST(Delegation, a_child_zone_served_here_is_answered_and_its_ds_from_above) {
  const Got child = ask(delegating(), {.name = "ns.own.pool.test"});
  EXPECT_TRUE(is_authoritative(child));
  EXPECT_THAT(child.answers(), ElementsAre("ns.own.pool.test. 120 IN A 192.0.2.5"));
  const Got ds = ask(delegating(), {.name = "own.pool.test", .type = RrType::kDs});
  EXPECT_TRUE(is_authoritative(ds));
  EXPECT_THAT(ds.answers(), ElementsAre("own.pool.test. 60 IN DS 1 13 2 " + std::string(64, 'A')));
  EXPECT_EQ(ds.outcome.zone, 0U);
  // The zone above is not served: this one has no DS.
  const Got top = ask(delegating(), {.name = "pool.test", .type = RrType::kDs});
  EXPECT_THAT(top.authority(), ElementsAre(StartsWith("pool.test. 600 IN SOA")));
}

TEST(Delegation, ds_of_a_zone_not_delegated_is_denied_by_the_zone_above) {
  const auto zones =
      dns::testing::compile({{"up.test", R"({"data": {"": {"ns": ["ns.example."]}}})"},
                             {"down.up.test", R"({"data": {"": {"ns": ["ns.example."]}}})"}});
  EXPECT_THAT(ask(*zones, {.name = "down.up.test", .type = RrType::kDs}).authority(),
              ElementsAre(StartsWith("up.test. 1200 IN SOA")));
}

TEST(Delegation, behind_a_cname_the_answer_stays_authoritative) {
  const Got got = ask(delegating(), {.name = "to-sub.pool.test"});
  EXPECT_EQ(got.outcome.reason, Reason::kAnswered);
  EXPECT_TRUE(is_authoritative(got));
  EXPECT_THAT(got.answers(), ElementsAre("to-sub.pool.test. 60 IN CNAME www.sub.pool.test."));
  EXPECT_EQ(got.authority().size(), 3U);
}

TEST(Delegation, without_room_for_the_glue_below_the_cut_is_truncated) {
  std::string addresses;
  for (int i = 0; i < 40; ++i) {
    addresses += (i > 0 ? "," : "") + std::string("[\"192.0.2.") + std::to_string(i) + "\"]";
  }
  const auto zones = dns::testing::compile(
      {{"pool.test",
        R"({"data": {"": {"ns": ["ns.example."]},
          "in": {"ns": ["ns.in.pool.test."]}, "ns.in": {"a": [)" +
            addresses +
            R"(]}, "beside": {"ns": ["ns.pool.test."]}, "ns": {"max_hosts": 40, "a": [)" +
            addresses + "]}}}"}});
  const Got in = ask(*zones, {.name = "in.pool.test"});
  EXPECT_EQ(in.outcome.reason, Reason::kTruncated);
  EXPECT_TRUE(in.message->header().has(Header::kTc));
  EXPECT_EQ(ask(*zones, {.name = "in.pool.test", .edns = true}).additional().size(), 40U);
  // RFC 9471 3.2: addresses of servers that lie beside the cut are left out when they don't fit.
  const Got beside = ask(*zones, {.name = "beside.pool.test"});
  EXPECT_EQ(beside.outcome.reason, Reason::kReferral);
  EXPECT_THAT(beside.additional(), IsEmpty());
}

const CompiledZones& wild() {
  static const auto zones = dns::testing::compile({{"wild.test", R"({"serial": 1, "ttl": 60,
      "data": {"": {"ns": ["ns.example."], "a": [["10.0.0.1"]]},
      "*": {"a": [["10.0.1.1"]], "txt": "any"}, "*.us": {"a": [["10.0.2.1"]]},
      "host": {"a": [["10.0.3.1"]]}, "a.ent": {"txt": "x"},
      "*.alias": {"cname": "host"}, "*.lost": {"cname": "no.where.host"},
      "cut": {"ns": ["ns.example."]}, "*.deep.er": {"aaaa": [["2001:db8::1"]]}}})"}});
  return *zones;
}

TEST(Wildcard, gives_its_records_to_names_that_do_not_exist) {
  for (const char* name : {"no.wild.test", "a.b.c.wild.test", "us.no.wild.test"}) {
    const Got got = ask(wild(), {.name = name});
    EXPECT_TRUE(is_authoritative(got));
    EXPECT_THAT(got.answers(), ElementsAre(std::string(name) + ". 60 IN A 10.0.1.1"));
  }
  EXPECT_THAT(ask(wild(), {.name = "X.wild.test", .type = RrType::kTxt}).answers(),
              ElementsAre("X.wild.test. 60 IN TXT \"any\""));
  const Got none = ask(wild(), {.name = "no.wild.test", .type = RrType::kMx});
  EXPECT_EQ(none.outcome.reason, Reason::kNoData) << "RFC 4592 2.2.2: the name matches";
  EXPECT_THAT(none.authority(), ElementsAre(StartsWith("wild.test. 600 IN SOA")));
}

TEST(Wildcard, is_a_name_itself) {
  EXPECT_THAT(ask(wild(), {.name = "*.wild.test"}).answers(),
              ElementsAre("*.wild.test. 60 IN A 10.0.1.1"));
  EXPECT_EQ(ask(wild(), {.name = "x.*.wild.test"}).outcome.reason, Reason::kNxDomain);
}

TEST(Wildcard, ends_at_the_closest_name_that_exists) {
  EXPECT_EQ(ask(wild(), {.name = "x.host.wild.test"}).outcome.reason, Reason::kNxDomain);
  EXPECT_EQ(ask(wild(), {.name = "ent.wild.test"}).outcome.reason, Reason::kNoData);
  EXPECT_EQ(ask(wild(), {.name = "x.ent.wild.test"}).outcome.reason, Reason::kNxDomain);
  EXPECT_EQ(ask(wild(), {.name = "x.er.wild.test"}).outcome.reason, Reason::kNxDomain);
  EXPECT_EQ(ask(wild(), {.name = "x.cut.wild.test"}).outcome.reason, Reason::kReferral);
  EXPECT_THAT(ask(wild(), {.name = "x.deep.er.wild.test", .type = RrType::kAaaa}).answers(),
              ElementsAre("x.deep.er.wild.test. 60 IN AAAA 2001:db8::1"));
}

TEST(Wildcard, is_looked_up_by_the_clients_class) {
  const Ask question{.name = "no.wild.test", .subnet = "198.19.1.0/24"};
  const Got got = ask(wild(), question);
  EXPECT_THAT(got.answers(), ElementsAre("no.wild.test. 60 IN A 10.0.2.1"));
  EXPECT_EQ(got.scope(), 16);
}

TEST(Wildcard, with_a_cname_is_followed) {
  EXPECT_THAT(ask(wild(), {.name = "x.alias.wild.test"}).answers(),
              ElementsAre("x.alias.wild.test. 60 IN CNAME host.wild.test.",
                          "host.wild.test. 60 IN A 10.0.3.1"));
  const Got lost = ask(wild(), {.name = "x.lost.wild.test"});
  EXPECT_EQ(lost.message->rcode(), Rcode::kNxDomain);
  EXPECT_EQ(lost.answers().size(), 1U);
}

TEST(Additional, addresses_of_hosts_that_records_name) {
  const Got ns = ask(delegating(), {.name = "pool.test", .type = RrType::kNs});
  EXPECT_TRUE(is_authoritative(ns));
  EXPECT_EQ(ns.answers().size(), 2U);
  EXPECT_THAT(ns.additional(), ElementsAre("ns1.pool.test. 60 IN A 192.0.2.1",
                                           "ns1.pool.test. 60 IN AAAA 2001:db8::1"));
  EXPECT_EQ(ask(delegating(), {.name = "pool.test", .type = RrType::kMx}).additional().size(), 2U);
}

// `records` SRV records of one label, each with a host of its own.
std::shared_ptr<const CompiledZones> services(int records) {
  std::string targets;
  std::string hosts;
  for (int i = 0; i < records; ++i) {
    const std::string host = "h" + std::to_string(i);
    targets += (i > 0 ? "," : "") + std::string(R"({"target": ")") + host + R"(", "port": 4460})";
    hosts += ",\"" + host + R"(": {"a": [["10.0.0.)" + std::to_string(i) + R"("]]})";
    hosts += ",\"" + host + R"(.us": {"a": [["10.1.0.)" + std::to_string(i) + R"("]]})";
  }
  return dns::testing::compile({{"s.test", R"({"ttl": 60, "data": {"": {"ns": ["ns.example."]},
      "_ntske._tcp": {"srv": [)" + targets + "]}" +
                                               hosts + "}}"}});
}

TEST(Additional, targets_of_srv_are_answered_by_class_and_widen_the_scope) {
  const auto zones = services(2);
  const Ask question{.name = "_ntske._tcp.s.test", .type = RrType::kSrv, .subnet = "198.19.7.0/24"};
  const Got got = ask(*zones, question);
  EXPECT_EQ(got.answers().size(), 2U);
  EXPECT_THAT(got.additional(),
              UnorderedElementsAre("h0.s.test. 60 IN A 10.1.0.0", "h1.s.test. 60 IN A 10.1.0.1"));
  EXPECT_EQ(got.scope(), 16);
}

TEST(Additional, is_left_out_where_it_does_not_fit_and_never_truncates) {
  for (int records = 1; records < 40; ++records) {
    const auto zones = services(records);
    const Ask question{.name = "_ntske._tcp.s.test", .type = RrType::kSrv};
    const Got got = ask(*zones, question);
    ASSERT_TRUE(got.message);
    EXPECT_LE(got.bytes.size(), 512U);
    // Answers of 29 and 30 octets behind 36 of header and question: 16 fit.
    EXPECT_EQ(got.outcome.reason, records <= 16 ? Reason::kAnswered : Reason::kTruncated);
    if (records > 16) continue;
    EXPECT_EQ(got.answers().size(), static_cast<std::size_t>(records));
    EXPECT_LE(got.additional().size(), got.answers().size());
    if (records > 9) continue;
    EXPECT_EQ(got.additional().size(), got.answers().size());
  }
}

TEST(Additional, the_owner_itself_where_https_says_so) {
  std::vector<Zone> zones;
  zones.push_back(
      load_zone(R"({"ttl": 60, "data": {"www": {"a": [["10.0.0.1"]]}}})", "s.test", 1).value());
  zones[0].labels[0].sets.push_back({RrType::kHttps, {{from_hex("000100").value(), 0}}});
  const auto compiled = dns::testing::compile(zones);
  const Got got = ask(*compiled, {.name = "wWw.s.test", .type = RrType::kHttps});
  EXPECT_THAT(got.answers(), ElementsAre("wWw.s.test. 60 IN HTTPS 1 ."));
  EXPECT_THAT(got.additional(), ElementsAre("wWw.s.test. 60 IN A 10.0.0.1"));
}

TEST(Outcome, tells_zone_set_and_the_records_handed_out) {
  const auto zones = dns::testing::compile({{"o.test", R"({"max_hosts": 2, "data": {
      "a": {"a": [["10.0.0.1"], ["10.0.0.2"], ["10.0.0.3"]]}, "w": {"cname": "a"}}})"}});
  const ResponderSettings settings = dns::testing::settings();
  Worker worker(3);
  std::vector<std::byte> out(512);
  const auto query = dns::testing::query_bytes({.name = "w.o.test"});
  const Outcome outcome =
      respond({parse_ip("10.0.0.9").value(), false, 0}, query, {*zones, settings}, worker, out);
  ASSERT_EQ(outcome.zone, 0U);
  ASSERT_LT(outcome.set, zones->sets().size());
  const CompiledZones::Set& set = zones->sets()[outcome.set];
  EXPECT_EQ(set.type, RrType::kA);
  ASSERT_EQ(worker.handed.list().size(), 2U);
  const Bytes last = zones->record(set, worker.handed.list()[1]);
  EXPECT_EQ(to_hex(last.subspan(2)),
            to_hex(Bytes(out).subspan(outcome.length - last.size() + 2U, last.size() - 2)));
}

}  // namespace
}  // namespace timepool::dns
