// Names of servers: whose they are, what becomes of them in DNS, and how checks decide who is
// listed. The ids are those of docs/nts-for-pools.md.
#include "service/names.h"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include "service/housekeeping.h"
#include "service/manager.h"
#include "store/temporary_store.h"

namespace timepool::service {
namespace {

using pool::NtsOutcome;
using pool::NtsState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kAlice = "198.51.100.1";
constexpr const char* kBob = "198.51.101.2";
const Duration kDay = Duration::seconds(86'400);

class NamesTest : public testing::Test {
 protected:
  void SetUp() override {
    // Every server is fit for the pool: only NTS decides here.
    config_.zones.min_score = -100;
    config_.servers.allow_private = true;
    config_.publish.min_interval = config_.publish.names_interval = Duration::seconds(3600);
    store_.open();
    ManagerParts parts;
    parts.country_of = [](const IpAddress&) { return std::string("de"); };
    parts.unix_now = [this] { return now_; };
    parts.mono_now = [this] { return mono_; };
    auto created = Manager::create(std::move(store_.db), settings_of(config_),
                                   crypto::SigningKey::from_seed({}), std::move(parts), log_);
    ASSERT_TRUE(created.ok()) << created.error().text();
    manager_ = std::move(*created);
    for (const char* name : {"m1", "m2", "m3"}) {
      monitors_.push_back(manager_->registry().add_monitor(name, "")->monitor);
    }
    add(kAlice);
    add(kBob);
  }
  void add(const std::string& address, const std::string& owner = "") {
    const auto added = manager_->registry().add_server({address, "", "", std::nullopt, owner});
    ASSERT_TRUE(added.ok()) << added.error().text();
  }
  Result<void> set(const std::string& address, const std::string& name,
                   std::optional<std::uint16_t> port = std::nullopt) {
    return manager_->names().set(address, {name, port, {}});
  }
  std::string problem(const std::string& address, const std::string& name) {
    const auto done = set(address, name);
    return done.ok() ? "" : done.error().text();
  }
  NtsView nts(const std::string& address) {
    const auto view = manager_->registry().view(address);
    EXPECT_TRUE(view.ok());
    return view.ok() ? view->nts : NtsView();
  }
  void advance(Duration by) {
    now_ = now_ + by;
    mono_ = mono_ + by;
  }

  // What each monitor finds in one round of checks of all servers.
  using Find = std::function<std::optional<ReportedNts>(std::size_t monitor, const WorkItem&)>;
  void check(const Find& find) {
    for (std::size_t i = 0; i < monitors_.size(); ++i) {
      Batch batch;
      batch.key = batch.body = fmt::format("key-{}", ++keys_);
      const auto work = manager_->intake().work_for(monitors_[i], mono_);
      ASSERT_TRUE(work.ok());
      for (const WorkItem& item : work->items) batch.results.push_back(result(item, find(i, item)));
      const auto answer = manager_->intake().take_results(monitors_[i], batch);
      ASSERT_TRUE(answer.ok()) << answer.error().text();
      EXPECT_THAT(*answer, HasSubstr("\"rejected\":[]"));
    }
    advance(Duration::seconds(600));
  }
  // The same of all monitors for all servers that have a name.
  void check_all(NtsOutcome outcome, double offset = 0.001) {
    check([&](std::size_t, const WorkItem& item) { return found(item, outcome, offset); });
  }
  ReportedResult result(const WorkItem& item, std::optional<ReportedNts> nts) {
    ReportedResult out;
    out.server = item.server;
    out.ticket = item.ticket;
    out.time = now_;
    out.samples.resize(1);
    out.samples[0].sample.error = pool::SampleError::kNone;
    out.samples[0].sample.stratum = 2;
    out.nts = std::move(nts);
    return out;
  }
  std::optional<ReportedNts> found(const WorkItem& item, NtsOutcome outcome,
                                   double offset = 0.001) {
    if (!item.nts) return std::nullopt;
    ReportedNts out;
    out.name = item.nts->name;
    out.port = item.nts->port;
    out.outcome = outcome;
    out.not_after = now_ + kDay * 60;
    out.cookies = 8;
    out.ke_ms = 40;
    out.offset_s = offset;
    return out;
  }
  // The names and SRV targets of the zone as it would be published now.
  pool::Zone zone() {
    const auto built = manager_->publisher().build();
    EXPECT_TRUE(built.ok());
    return built.ok() ? *built : pool::Zone();
  }
  std::vector<std::string> targets(const std::string& label = "_ntske._tcp") {
    const pool::Zone built = zone();
    std::vector<std::string> out;
    const auto at = built.labels.find(label);
    if (at == built.labels.end()) return out;
    for (const auto& record : at->second.srv) out.push_back(record.target);
    return out;
  }

  config::PooldConfig config_;
  UnixTime now_ = UnixTime::from_seconds(1'800'000'000);
  MonoTime mono_ = MonoTime::from_ns(77'000'000'000);
  sys::Logger log_{"test", sys::LogLevel::kError};
  store::TemporaryStore store_;
  std::unique_ptr<Manager> manager_;
  std::vector<store::Monitor> monitors_;
  int keys_ = 0;
};

ServerChange owned_by(const std::string& owner) {
  ServerChange out;
  out.owner = owner;
  return out;
}
ServerChange out_of_pool() {
  ServerChange out;
  out.in_pool = false;
  return out;
}

TEST_F(NamesTest, lm1_a_member_registers_a_name_by_the_rules) {
  EXPECT_EQ(nts(kAlice).state, NtsState::kUnnamed);
  EXPECT_EQ(problem(kAlice, "Alice"), "name: expected lower-case letters, digits and '-' only");
  EXPECT_EQ(problem(kAlice, "www"), "name: is reserved");
  EXPECT_EQ(problem("198.51.100.9", "alice"), "server 198.51.100.9: is not registered");
  ASSERT_EQ(problem(kAlice, "alice"), "");
  const NtsView view = nts(kAlice);
  EXPECT_EQ(view.state, NtsState::kWaiting);
  EXPECT_EQ(view.full_name, "alice.m.pool.test");
  EXPECT_EQ(view.port, 4460);
  EXPECT_FALSE(view.listed);
}

TEST_F(NamesTest, lo1_the_name_is_in_dns_before_any_check_and_lo2_in_no_srv_record) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  const pool::Zone built = zone();
  ASSERT_TRUE(built.labels.contains("alice.m"));
  EXPECT_EQ(built.labels.at("alice.m").a.at(0).address, parse_ip(kAlice).value());
  EXPECT_THAT(targets(), IsEmpty());
  const auto work = manager_->intake().work_for(monitors_[0], mono_);
  ASSERT_TRUE(work.ok() && work->items.size() == 2);
  ASSERT_TRUE(work->items[0].nts.has_value());
  EXPECT_EQ(work->items[0].nts->name, "alice.m.pool.test");
  EXPECT_EQ(work->items[0].nts->trust, "system");
  EXPECT_FALSE(work->items[1].nts.has_value());
}

TEST_F(NamesTest, lo2_listed_after_success_and_failing_ones_leave_within_two_checks) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  check_all(NtsOutcome::kUntrusted);
  EXPECT_EQ(nts(kAlice).state, NtsState::kWaiting);
  EXPECT_EQ(nts(kAlice).reason, "untrusted");
  EXPECT_THAT(targets(), IsEmpty());
  check_all(NtsOutcome::kOk);
  EXPECT_EQ(nts(kAlice).state, NtsState::kConfirmed);
  EXPECT_TRUE(nts(kAlice).listed);
  EXPECT_THAT(targets(), ElementsAre("alice.m.pool.test."));
  EXPECT_THAT(targets("_ntske._tcp.de"), ElementsAre("alice.m.pool.test."));
  EXPECT_THAT(targets("_ntske._tcp.europe"), ElementsAre("alice.m.pool.test."));
  check_all(NtsOutcome::kNoReply);
  EXPECT_THAT(targets(), ElementsAre("alice.m.pool.test."));
  check_all(NtsOutcome::kNoReply);
  EXPECT_EQ(nts(kAlice).state, NtsState::kFailing);
  EXPECT_EQ(nts(kAlice).reason, "no_reply");
  EXPECT_THAT(targets(), IsEmpty());
  EXPECT_TRUE(zone().labels.contains("alice.m")) << "its name stays";
  check_all(NtsOutcome::kOk);
  EXPECT_THAT(targets(), ElementsAre("alice.m.pool.test."));
}

TEST_F(NamesTest, one_monitor_of_three_decides_nothing) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  const auto by_one = [&](NtsOutcome first, NtsOutcome others) {
    check([&](std::size_t monitor, const WorkItem& item) {
      return found(item, monitor == 0 ? first : others);
    });
  };
  by_one(NtsOutcome::kOk, NtsOutcome::kConnectFailed);
  EXPECT_EQ(nts(kAlice).state, NtsState::kWaiting);
  by_one(NtsOutcome::kConnectFailed, NtsOutcome::kOk);
  EXPECT_EQ(nts(kAlice).state, NtsState::kConfirmed);
  for (int i = 0; i < 4; ++i) by_one(NtsOutcome::kConnectFailed, NtsOutcome::kOk);
  EXPECT_EQ(nts(kAlice).state, NtsState::kConfirmed);
}

TEST_F(NamesTest, authenticated_time_that_is_wrong_is_no_success) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  check_all(NtsOutcome::kOk, 0.3);
  EXPECT_EQ(nts(kAlice).state, NtsState::kWaiting);
  EXPECT_EQ(nts(kAlice).reason, "wrong_time");
  check_all(NtsOutcome::kOk, -0.2);
  EXPECT_EQ(nts(kAlice).state, NtsState::kConfirmed);
}

TEST_F(NamesTest, what_was_found_of_another_name_or_port_does_not_count) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  check([&](std::size_t, const WorkItem& item) {
    auto out = found(item, NtsOutcome::kOk);
    if (out) out->name = "other.m.pool.test";
    return out;
  });
  check([&](std::size_t, const WorkItem& item) {
    auto out = found(item, NtsOutcome::kOk);
    if (out) out->port = 4461;
    return out;
  });
  EXPECT_EQ(nts(kAlice).state, NtsState::kWaiting);
  EXPECT_EQ(manager_->intake().counters().nts_checks[0], 0u);
}

TEST_F(NamesTest, another_name_or_port_waits_anew_and_the_same_ones_do_not) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  check_all(NtsOutcome::kOk);
  ASSERT_TRUE(manager_->names().set(kAlice, {"alice", {}, {"https://ca.test/1"}}).ok());
  EXPECT_EQ(nts(kAlice).state, NtsState::kConfirmed);
  EXPECT_THAT(nts(kAlice).account_uris, ElementsAre("https://ca.test/1"));
  ASSERT_TRUE(set(kAlice, "alice", 4461).ok());
  EXPECT_EQ(nts(kAlice).state, NtsState::kWaiting);
  EXPECT_THAT(targets(), IsEmpty());
  check_all(NtsOutcome::kOk);
  ASSERT_TRUE(set(kAlice, "carol", 4461).ok());
  EXPECT_EQ(nts(kAlice).state, NtsState::kWaiting);
  EXPECT_FALSE(zone().labels.contains("alice.m"));
  EXPECT_TRUE(zone().labels.contains("carol.m"));
}

TEST_F(NamesTest, lo4_removal_breaks_the_name_and_takes_it_out_of_srv_at_once) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  check_all(NtsOutcome::kOk);
  ASSERT_TRUE(manager_->names().remove(kAlice).ok());
  EXPECT_EQ(nts(kAlice).state, NtsState::kRemoved);
  EXPECT_FALSE(zone().labels.contains("alice.m"));
  EXPECT_THAT(zone().labels.at("m").caa, ElementsAre("0 issue \";\""));
  EXPECT_THAT(targets(), IsEmpty());
  EXPECT_EQ(manager_->names().remove(kAlice).error().code, ErrorCode::kNotFound);
  ASSERT_EQ(problem(kAlice, "alice"), "") << "its own again";
  EXPECT_EQ(nts(kAlice).state, NtsState::kWaiting) << "what was found before does not count";
}

TEST_F(NamesTest, lo4_a_server_that_is_removed_takes_its_name_along) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  ASSERT_TRUE(manager_->registry().remove_server(kAlice).ok());
  EXPECT_FALSE(zone().labels.contains("alice.m"));
  add(kAlice);
  EXPECT_THAT(problem(kAlice, "alice"), HasSubstr("was another's")) << "another registration";
}

TEST_F(NamesTest, a_name_is_one_owners_until_long_after_its_removal) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  EXPECT_EQ(problem(kBob, "alice"), "name: is another server's");
  ASSERT_TRUE(manager_->names().remove(kAlice).ok());
  EXPECT_EQ(problem(kBob, "alice"), "name: was another's, and is free from 2027-04-25T08:00:00Z");
  advance(kDay * 100 - Duration::seconds(1));
  const auto kept = remove_expired(manager_->db(), manager_->settings(), now_);
  ASSERT_TRUE(kept.ok());
  EXPECT_THAT(problem(kBob, "alice"), HasSubstr("was another's"));
  advance(Duration::seconds(1));
  EXPECT_EQ(problem(kBob, "alice"), "");
}

TEST_F(NamesTest, servers_of_one_owner_share_a_name_and_are_listed_together) {
  add("198.51.102.3", "carol");
  add("2001:db8::3", "carol");
  ASSERT_EQ(problem("198.51.102.3", "carol-1"), "");
  EXPECT_EQ(problem(kAlice, "carol-1"), "name: is another server's");
  check_all(NtsOutcome::kOk);
  EXPECT_TRUE(nts("198.51.102.3").listed);
  ASSERT_EQ(problem("2001:db8::3", "carol-1"), "");
  const pool::Label label = zone().labels.at("carol-1.m");
  EXPECT_EQ(label.a.size(), 1u);
  EXPECT_EQ(label.aaaa.size(), 1u);
  EXPECT_FALSE(nts("198.51.102.3").listed) << "whom a client meets there is not known yet";
  check_all(NtsOutcome::kOk);
  EXPECT_TRUE(nts("2001:db8::3").listed);
  EXPECT_EQ(manager_->registry().change_server("2001:db8::3", owned_by("dave")).error().code,
            ErrorCode::kExists);
  EXPECT_THAT(set("2001:db8::3", "carol-1", 4461).error().text(), HasSubstr("port: is 4460"));
  // The name lives while one of them has it.
  ASSERT_TRUE(manager_->names().remove("198.51.102.3").ok());
  EXPECT_TRUE(zone().labels.contains("carol-1.m"));
  ASSERT_TRUE(manager_->names().remove("2001:db8::3").ok());
  EXPECT_FALSE(zone().labels.contains("carol-1.m"));
}

TEST_F(NamesTest, lo3_a_whole_name_of_the_members_own_is_a_target_without_addresses_of_ours) {
  EXPECT_EQ(problem(kAlice, "time.pool.test"),
            "name: names inside the pool's zone are registered by their label alone");
  ASSERT_EQ(problem(kAlice, "time.alice.example"), "");
  EXPECT_EQ(nts(kAlice).full_name, "time.alice.example");
  check_all(NtsOutcome::kOk);
  EXPECT_THAT(targets(), ElementsAre("time.alice.example."));
  for (const auto& [name, label] : zone().labels)
    EXPECT_THAT(name, testing::Not(HasSubstr("alice")));
}

TEST_F(NamesTest, lo6_the_members_account_stands_in_caa_and_no_other_text_can) {
  const auto with = [&](const std::string& uri) {
    return manager_->names().set(kAlice, {"alice", {}, {uri}});
  };
  for (const char* bad : {"", "ftp://ca.test/1", "https://ca.test/a b", "https://ca.test/\"",
                          "https://ca.test/;x", "https://ca.test/\\", "https://ca.test/\n"}) {
    EXPECT_FALSE(with(bad).ok()) << bad;
  }
  EXPECT_FALSE(with("https://ca.test/" + std::string(250, 'x')).ok());
  const std::vector<std::string> five(5, "https://ca.test/1");
  EXPECT_FALSE(manager_->names().set(kAlice, {"alice", {}, five}).ok());
  ASSERT_TRUE(with("https://ca.test/acct/1").ok());
  EXPECT_THAT(zone().labels.at("alice.m").caa,
              ElementsAre("0 issue \"letsencrypt.org; validationmethods=http-01,tls-alpn-01; "
                          "accounturi=https://ca.test/acct/1\"",
                          "0 issuewild \";\""));
}

TEST_F(NamesTest, a_server_that_is_not_fit_for_the_pool_is_not_listed) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  check_all(NtsOutcome::kOk);
  ASSERT_TRUE(manager_->registry().change_server(kAlice, out_of_pool()).ok());
  EXPECT_FALSE(nts(kAlice).listed);
  EXPECT_THAT(targets(), IsEmpty());
  EXPECT_TRUE(zone().labels.contains("alice.m"));
}

TEST_F(NamesTest, history_is_kept_for_its_time_and_outlives_the_name) {
  ASSERT_EQ(problem(kAlice, "alice"), "");
  check_all(NtsOutcome::kOk);
  ASSERT_TRUE(manager_->names().remove(kAlice).ok());
  const auto detail = manager_->registry().server(kAlice, 10);
  ASSERT_TRUE(detail.ok());
  EXPECT_EQ(detail->nts_checks.size(), 3u);
  ASSERT_EQ(detail->nts_changes.size(), 3u);
  EXPECT_EQ(detail->nts_changes[0].state, "removed");
  EXPECT_EQ(detail->nts_changes[1].state, "confirmed");
  EXPECT_EQ(detail->nts_changes[2].state, "waiting");
  ASSERT_TRUE(manager_->registry().remove_server(kAlice).ok());
  advance(kDay * 91);
  const auto removed = remove_expired(manager_->db(), manager_->settings(), now_);
  ASSERT_TRUE(removed.ok()) << removed.error().text();
  std::int64_t left = -1;
  ASSERT_TRUE(manager_->db()
                  .read([&](store::Tx& tx) -> Result<void> {
                    TRY(
                        tx.run("SELECT (SELECT count(*) FROM nts_checks) + "
                               "(SELECT count(*) FROM nts_changes) + "
                               "(SELECT count(*) FROM nts_servers) + "
                               "(SELECT count(*) FROM servers WHERE deleted IS NOT NULL)",
                               {}, [&](const store::Row& row) { left = row.integer(0); }));
                    return {};
                  })
                  .ok());
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace timepool::service
