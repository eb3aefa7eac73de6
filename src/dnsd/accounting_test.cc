#include "dnsd/accounting.h"

#include <gtest/gtest.h>

#include "dns/testing.h"

namespace timepool::dnsd {
namespace {

using dns::testing::query_bytes;

std::shared_ptr<const dns::CompiledZones> pool(const std::string& more = "") {
  return dns::testing::compile(
      {{"pool.test", R"({"max_hosts": 2, "data": {"": {"a": [["10.0.0.1", 1], ["10.0.0.2", 1])" +
                         more + R"(]}, "www": {"cname": "pool.test."},
                         "big": {"a": [["10.0.1.1"], ["10.0.1.2"]], "max_hosts": 2}}})"},
       {"other.test", R"({"data": {"": {"a": [["10.0.0.1", 5]], "aaaa": [["2001:db8::1"]]}}})"}});
}

class Accounts : public ::testing::Test {
 protected:
  void serve(std::shared_ptr<const dns::CompiledZones> zones) {
    zones_ = zones;
    tally_ = accounting_.begin(std::move(zones));
  }
  void ask(const char* name, int times = 1, std::size_t lane = 0,
           wire::dns::RrType type = wire::dns::RrType::kA) {
    const dns::ResponderSettings settings = dns::testing::settings();
    const dns::Rx rx{parse_ip("192.0.2.1").value(), false, 1};
    std::vector<std::byte> out(1232);
    for (int i = 0; i < times; ++i) {
      tally_->note(lane,
                   dns::respond(rx, query_bytes({.name = name, .type = type}), {*zones_, settings},
                                worker_, out),
                   worker_.handed);
    }
  }
  std::map<std::string, std::uint64_t> handed() {
    accounting_.collect();
    std::map<std::string, std::uint64_t> out;
    for (const ServerCount& it : accounting_.servers()) {
      out[it.zone + " " + format(it.address)] = it.handed;
    }
    return out;
  }

  Accounting accounting_{2};
  std::shared_ptr<const dns::CompiledZones> zones_;
  std::shared_ptr<Tally> tally_;
  dns::Worker worker_{1};
};

using Handed = std::map<std::string, std::uint64_t>;

TEST_F(Accounts, count_each_server_of_each_zone_in_every_lane) {
  serve(pool());
  ask("pool.test", 10, 0);
  ask("www.pool.test", 5, 1);
  ask("other.test", 3, 1);
  ask("other.test", 2, 0, wire::dns::RrType::kAaaa);
  EXPECT_EQ(handed(), (Handed{{"pool.test. 10.0.0.1", 15},
                              {"pool.test. 10.0.0.2", 15},
                              {"pool.test. 10.0.1.1", 0},
                              {"pool.test. 10.0.1.2", 0},
                              {"other.test. 10.0.0.1", 3},
                              {"other.test. 2001:db8::1", 2}}));
  const auto top = accounting_.top(2);
  EXPECT_EQ(top.all, 35U);
  ASSERT_EQ(top.servers.size(), 2U);
  EXPECT_EQ(format(top.servers[0].address), "10.0.0.1");
  EXPECT_EQ(top.servers[0].handed, 18U);
}

TEST_F(Accounts, count_how_queries_of_a_zone_end) {
  serve(pool());
  ask("pool.test", 2);
  ask("pool.test", 3, 0, wire::dns::RrType::kTxt);
  ask("no.pool.test", 4);
  ask("example.com", 5);
  accounting_.collect();
  for (const ZoneCount& zone : accounting_.zones()) {
    const std::array<std::uint64_t, kZoneEnds> want =
        zone.zone == "pool.test." ? std::array<std::uint64_t, kZoneEnds>{2, 3, 4, 0}
                                  : std::array<std::uint64_t, kZoneEnds>{};
    EXPECT_EQ(zone.queries, want) << zone.zone;
  }
}

TEST_F(Accounts, go_on_over_snapshots_whatever_their_records_numbers) {
  serve(pool());
  ask("pool.test", 10);
  const auto before = tally_;
  serve(pool(R"(,["10.0.0.0", 0])"));
  // A worker that still has the old snapshot.
  const auto next = std::exchange(tally_, before);
  ask("other.test", 4);
  tally_ = next;
  ask("other.test", 2);
  const Handed found = handed();
  EXPECT_EQ(found.at("pool.test. 10.0.0.1"), 10U);
  EXPECT_EQ(found.at("pool.test. 10.0.0.0"), 0U);
  EXPECT_EQ(found.at("other.test. 10.0.0.1"), 6U);
}

TEST_F(Accounts, a_snapshot_that_nobody_has_is_read_a_last_time_and_dropped) {
  serve(pool());
  ask("pool.test", 10);
  const std::weak_ptr<Tally> old = tally_;
  serve(pool());
  EXPECT_EQ(old.use_count(), 1) << "the accounts alone";
  EXPECT_EQ(handed().at("pool.test. 10.0.0.1"), 10U);
  EXPECT_TRUE(old.expired());
  EXPECT_EQ(handed().at("pool.test. 10.0.0.1"), 10U) << "once";
}

TEST_F(Accounts, are_taken_once_and_in_parts) {
  serve(pool());
  ask("pool.test", 10);
  ask("other.test", 3);
  accounting_.collect();
  const auto first = accounting_.take(2);
  const auto second = accounting_.take(100);
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(second.size(), 1U);
  std::uint64_t all = 0;
  for (const auto* part : {&first, &second}) {
    for (const ServerCount& it : *part) all += it.handed;
  }
  EXPECT_EQ(all, 23U);
  EXPECT_TRUE(accounting_.take(100).empty());
  ask("other.test");
  accounting_.collect();
  ASSERT_EQ(accounting_.take(100).at(0).handed, 1U);
}

TEST_F(Accounts, what_was_cut_off_was_not_handed_out) {
  serve(pool());
  const dns::ResponderSettings settings = dns::testing::settings();
  const dns::Rx rx{parse_ip("192.0.2.1").value(), false, 1};
  std::vector<std::byte> out(1232);
  dns::Outcome outcome =
      dns::respond(rx, query_bytes({.name = "pool.test"}), {*zones_, settings}, worker_, out);
  for (const dns::Reason reason :
       {dns::Reason::kTruncated, dns::Reason::kLimitCut, dns::Reason::kLimitDropped}) {
    outcome.reason = reason;
    tally_->note(0, outcome, worker_.handed);
  }
  EXPECT_EQ(handed().at("pool.test. 10.0.0.1"), 0U);
  EXPECT_EQ(accounting_.zones()[0].queries[static_cast<std::size_t>(ZoneEnd::kOther)] +
                accounting_.zones()[1].queries[static_cast<std::size_t>(ZoneEnd::kOther)],
            3U);
}

}  // namespace
}  // namespace timepool::dnsd
