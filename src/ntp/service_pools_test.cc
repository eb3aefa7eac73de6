// Pools by SRV records, without key establishments: which sources are made of them, and which go.
// What becomes of those that answer, or do not, is shown by the scenarios 157 to 166.
#include "ntp/service_pools.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace timepool::ntp {
namespace {

MonoTime at(std::int64_t seconds) {
  return MonoTime::from_ns(77'000'000'000) + Duration::seconds(seconds);
}

class ServicePoolsTest : public testing::Test {
 protected:
  ServicePoolsTest() {
    config_.kind = SourceKind::kPool;
    config_.name = "pool.test";
    config_.authenticated = true;
    config_.nts.required = true;
    config_.nts.lookup = ServerLookup::kServices;
  }
  void add() { pool_ = population_.add(config_, at(0)).value(); }
  static ServiceAnswer answer(const std::vector<std::string>& names) {
    ServiceAnswer out;
    out.status = ServiceStatus::kFound;
    out.trust = DnsTrust::kSecure;
    for (const std::string& it : names) out.targets.push_back({it, 4461, 0, 1});
    return out;
  }
  void tell(const ServiceAnswer& answer, std::int64_t seconds) {
    pools_.handle_answer(population_, pool_, answer, at(seconds));
    tend(seconds);
  }
  void tend(std::int64_t seconds) {
    Outbox out;
    population_.grow(at(seconds), out);
    pools_.tend(population_, at(seconds), 0, random_, out);
    notes_ = out.targets;
  }
  // The sources that were made.
  std::set<std::string> made() {
    std::set<std::string> out;
    for (const Source& it : population_.sources()) {
      if (it.config().pool == pool_) out.insert(it.config().name);
    }
    return out;
  }
  const Source& source(const std::string& name) {
    for (const Source& it : population_.sources()) {
      if (it.config().name == name) return it;
    }
    ADD_FAILURE() << name;
    return *population_.sources().begin();
  }

  SourceConfig config_;
  Population population_{PopulationConfig{}, {}};
  ServicePools pools_;
  SourceId pool_ = 0;
  RandomStream random_{{1, 2}};
  std::vector<TargetNote> notes_;
};

TEST_F(ServicePoolsTest, LC2_keys_are_asked_for_at_the_port_of_the_latest_record) {
  add();
  tell(answer({"a.test"}), 0);
  ServiceAnswer other = answer({"a.test"});
  other.targets.front().port = 4470;
  tell(other, 60);
  EXPECT_EQ(source("a.test").config().nts.port, 4470);
  EXPECT_EQ(made(), std::set<std::string>{"a.test"});
  EXPECT_TRUE(notes_.empty()) << "it was not given up";
  // An answer that is not believed changes nothing.
  other.targets.front().port = 4480;
  other.trust = DnsTrust::kBogus;
  tell(other, 120);
  EXPECT_EQ(source("a.test").config().nts.port, 4470);
}

TEST_F(ServicePoolsTest, LC2_a_server_has_its_own_name_and_the_port_of_the_record) {
  config_.nts.certificate_name = "not.this.test";
  add();
  tell(answer({"a.test"}), 0);
  const SourceConfig& made = source("a.test").config();
  EXPECT_EQ(made.kind, SourceKind::kServer);
  EXPECT_EQ(made.nts.port, 4461);
  EXPECT_EQ(made.nts.certificate_name, "");
  EXPECT_EQ(made.nts.lookup, ServerLookup::kAddresses);
  EXPECT_TRUE(made.nts.required);
}

TEST_F(ServicePoolsTest, LC3_as_many_as_are_wanted) {
  add();
  tell(answer({"a.test", "b.test", "c.test", "d.test", "e.test", "f.test"}), 0);
  EXPECT_EQ(made().size(), 4U);
  config_.max_addresses = 2;
  ASSERT_TRUE(population_.change(pool_, config_, at(1)).ok());
  pools_.handle_change(population_, pool_, at(1));
  tend(1);
  EXPECT_EQ(made().size(), 2U);
}

TEST_F(ServicePoolsTest, what_is_configured_is_not_taken_twice) {
  add();
  SourceConfig own;
  own.name = "a.test";
  ASSERT_TRUE(population_.add(own, at(0)).ok());
  tell(answer({"a.test", "b.test"}), 0);
  EXPECT_EQ(made(), std::set<std::string>{"b.test"});
}

TEST_F(ServicePoolsTest, LC5_one_whose_name_is_gone_makes_room) {
  config_.max_addresses = 1;
  add();
  tell(answer({"a.test"}), 0);
  population_.handle_gone(source("a.test").id(), at(1));
  tell(answer({"a.test", "b.test"}), 2);
  EXPECT_EQ(made(), std::set<std::string>{"b.test"});
}

TEST_F(ServicePoolsTest, LC6_an_answer_that_proves_nothing_begins_nothing_and_ends_nothing) {
  add();
  ServiceAnswer forged = answer({"evil.test"});
  forged.trust = DnsTrust::kBogus;
  tell(forged, 0);
  EXPECT_TRUE(made().empty());
  tell(answer({"a.test"}), 10);
  EXPECT_EQ(made(), std::set<std::string>{"a.test"});
  tell(forged, 20);
  EXPECT_EQ(made(), std::set<std::string>{"a.test"});
}

TEST_F(ServicePoolsTest, what_was_proved_counts_while_look_ups_fail) {
  config_.max_addresses = 1;
  add();
  tell(answer({"a.test", "b.test"}), 0);
  const std::string first = *made().begin();
  tell(ServiceAnswer{}, 10);
  EXPECT_EQ(made(), std::set<std::string>{first});
  population_.handle_gone(source(first).id(), at(11));
  tend(12);
  EXPECT_EQ(made(), std::set<std::string>{first == "a.test" ? "b.test" : "a.test"});
}

TEST_F(ServicePoolsTest, LC6_what_was_believed_without_dates_goes_when_the_proof_fails) {
  add();
  ServiceAnswer undated = answer({"a.test"});
  undated.dates_checked = false;
  tell(undated, 0);
  EXPECT_EQ(made(), std::set<std::string>{"a.test"});
  const MonoTime before = source("pool.test").next_resolve();
  pools_.handle_dates_known(population_, at(100));
  EXPECT_LE(source("pool.test").next_resolve(), std::max(before, at(100)));
  ServiceAnswer over = answer({"a.test"});
  over.trust = DnsTrust::kBogus;
  tell(over, 101);
  EXPECT_TRUE(made().empty());
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_EQ(notes_[0].cause, TargetDrop::kUntrusted);
}

TEST_F(ServicePoolsTest, and_stays_when_it_holds) {
  add();
  ServiceAnswer undated = answer({"a.test"});
  undated.dates_checked = false;
  tell(undated, 0);
  tell(answer({"b.test"}), 100);
  ServiceAnswer over = answer({});
  over.trust = DnsTrust::kBogus;
  tell(over, 200);
  EXPECT_EQ(made(), (std::set<std::string>{"a.test", "b.test"}));
}

TEST_F(ServicePoolsTest, auto_has_one_source_of_its_own_name) {
  config_.nts.lookup = ServerLookup::kEither;
  add();
  ServiceAnswer none;
  none.status = ServiceStatus::kNone;
  none.trust = DnsTrust::kSecure;
  tell(none, 0);
  EXPECT_EQ(made(), std::set<std::string>{"pool.test"});
}

TEST_F(ServicePoolsTest, with_the_pool_its_servers_go) {
  add();
  tell(answer({"a.test", "b.test"}), 0);
  pools_.forget(population_, pool_, at(1));
  EXPECT_TRUE(made().empty());
  ASSERT_TRUE(population_.remove(pool_, at(1)).ok());
  EXPECT_EQ(population_.sources().size(), 0U);
}

TEST_F(ServicePoolsTest, a_server_that_somebody_removed_may_come_again) {
  config_.max_addresses = 1;
  add();
  tell(answer({"a.test"}), 0);
  ASSERT_TRUE(population_.remove(source("a.test").id(), at(1)).ok());
  tend(2);
  EXPECT_EQ(made(), std::set<std::string>{"a.test"});
}

TEST_F(ServicePoolsTest, its_servers_leave_the_room_of_configured_ones) {
  config_.max_addresses = kMaxPoolAddresses;
  add();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kMaxPoolAddresses; ++i) {
    names.push_back("s" + std::to_string(i) + ".test");
  }
  tell(answer(names), 0);
  EXPECT_EQ(made().size(), kMaxPoolAddresses);
  SourceConfig other;
  other.name = "other.test";
  EXPECT_TRUE(population_.add(other, at(1)).ok());
}

TEST_F(ServicePoolsTest, reports_tell_what_became_of_each) {
  config_.nts.trust = ServiceTrust::kSecureOrSuffix;
  add();
  ServiceAnswer mixed = answer({"a.m.pool.test", "evil.test"});
  mixed.trust = DnsTrust::kInsecure;
  tell(mixed, 0);
  const std::vector<ServiceReport> reports = pools_.reports(population_, at(5));
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].service, "_ntske._tcp.pool.test.");
  EXPECT_EQ(reports[0].verdict, ServiceVerdict::kUse);
  EXPECT_EQ(reports[0].age, Duration::seconds(5));
  ASSERT_EQ(reports[0].refused.size(), 1U);
  EXPECT_EQ(reports[0].refused[0].target.target, "evil.test");
  ASSERT_EQ(reports[0].targets.size(), 1U);
  EXPECT_EQ(reports[0].targets[0].state, TargetRecord::State::kInUse);
}

}  // namespace
}  // namespace timepool::ntp
