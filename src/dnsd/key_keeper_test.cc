#include "dnsd/key_keeper.h"
#include "sys/temporary_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <fstream>

namespace timepool::dnsd {
namespace {

namespace json = boost::json;

class KeyKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.directory = temporary_.path() + "/keys";
    config_.zones.resize(1);
    config_.zones[0].name = "pool.example";
    auto made = KeyKeeper::create(config_, logger_, [this](const KeyKeeper::Keys& keys) {
      ++changes_;
      told_ = keys;
    });
    ASSERT_TRUE(made.ok()) << made.error().text();
    keeper_ = std::move(made).value();
  }
  void look() {
    keeper_->expect(served_);
    keeper_->serve(served_);
    keeper_->look();
  }
  static wire::dns::DnsName name(const char* text) {
    return wire::dns::DnsName::from_text(text).value();
  }
  json::object zone_report() {
    const auto out = keeper_->list({{"zone", "pool.example"}});
    EXPECT_TRUE(out.ok());
    return out->at("zones").as_array()[0].as_object();
  }

  sys::TemporaryDirectory temporary_;
  sys::Logger logger_{"test"};
  config::DnsdDnssecConfig config_;
  std::vector<wire::dns::DnsName> served_{name("pool.example."), name("other.example.")};
  std::unique_ptr<KeyKeeper> keeper_;
  KeyKeeper::Keys told_;
  int changes_ = 0;
};

TEST_F(KeyKeeperTest, keys_of_the_zones_that_settings_name_are_made_and_told_once) {
  EXPECT_TRUE(keeper_->keys()->empty());
  look();
  EXPECT_EQ(changes_, 1);
  ASSERT_EQ(told_->size(), 1U);
  EXPECT_EQ(told_->begin()->first, std::string("\4pool\7example\0", 14));
  EXPECT_EQ(keeper_->keys(), told_);
  look();
  EXPECT_EQ(changes_, 1);
}

TEST_F(KeyKeeperTest, a_zone_that_is_no_longer_served_or_named_has_no_keys) {
  look();
  const auto before = told_->begin()->second->keys;
  served_ = {name("other.example.")};
  look();
  EXPECT_EQ(changes_, 2);
  EXPECT_TRUE(told_->empty());
  served_ = {name("POOL.example.")};
  look();
  ASSERT_EQ(told_->size(), 1U);
  EXPECT_EQ(told_->begin()->second->keys[0].public_key, before[0].public_key);
  config_.zones.clear();
  ASSERT_TRUE(keeper_->reconfigure(config_).ok());
  look();
  EXPECT_TRUE(told_->empty());
}

TEST_F(KeyKeeperTest, every_zone_may_be_signed_by_one_table) {
  config_.zones[0].name = "*";
  ASSERT_TRUE(keeper_->reconfigure(config_).ok());
  look();
  EXPECT_EQ(told_->size(), 2U);
}

TEST_F(KeyKeeperTest, reports_keys_with_their_states_and_DS) {
  look();
  const json::object zone = zone_report();
  EXPECT_EQ(zone.at("zone"), "pool.example.");
  EXPECT_EQ(zone.at("signed"), true);
  EXPECT_EQ(zone.at("problem"), "");
  ASSERT_EQ(zone.at("keys").as_array().size(), 1U);
  const json::object& key = zone.at("keys").as_array()[0].as_object();
  EXPECT_EQ(key.at("role"), "csk");
  EXPECT_EQ(key.at("state"), "active");
  EXPECT_TRUE(key.at("published").at("until").is_null());
  const auto none = keeper_->ds({{"zone", "pool.example"}});
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->at("ds").as_array().empty());
  const auto early = keeper_->ds({{"zone", "pool.example."}, {"early", true}});
  ASSERT_TRUE(early.ok());
  const std::string text(early->at("ds").as_array()[0].as_string());
  EXPECT_TRUE(text.starts_with("pool.example. IN DS " +
                               std::to_string(key.at("tag").to_number<std::int64_t>()) + " 13 2 "))
      << text;
}

TEST_F(KeyKeeperTest, commands_roll_and_retire_and_take_what_the_parent_has) {
  look();
  const auto rolled = keeper_->roll({{"zone", "pool.example"}});
  ASSERT_TRUE(rolled.ok()) << rolled.error().text();
  EXPECT_EQ(rolled->at("keys").as_array().size(), 2U);
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(told_->begin()->second->keys.size(), 2U);
  const std::int64_t tag = rolled->at("keys").as_array()[0].at("tag").to_number<std::int64_t>();
  const auto seen = keeper_->ds_seen({{"zone", "pool.example"}, {"tags", {tag}}});
  ASSERT_TRUE(seen.ok()) << seen.error().text();
  EXPECT_FALSE(seen->at("keys").as_array()[0].at("ds_seen").at("from").is_null());
  EXPECT_TRUE(keeper_->retire({{"zone", "pool.example"}, {"tag", tag}}).ok());
}

TEST_F(KeyKeeperTest, says_what_is_wrong_with_a_command) {
  look();
  const auto code = [](const Result<json::object>& result) { return result.error().code; };
  EXPECT_EQ(code(keeper_->list({{"zone", "none.example"}})), ErrorCode::kNotFound);
  EXPECT_EQ(code(keeper_->ds({})), ErrorCode::kInvalid);
  EXPECT_EQ(code(keeper_->retire({{"zone", "pool.example"}})), ErrorCode::kInvalid);
  EXPECT_EQ(code(keeper_->retire({{"zone", "pool.example"}, {"tag", 70'000}})),
            ErrorCode::kInvalid);
  EXPECT_EQ(code(keeper_->roll({{"zone", "pool.example"}, {"role", "xsk"}})), ErrorCode::kInvalid);
  EXPECT_EQ(code(keeper_->roll({{"zone", "pool.example"}, {"role", "zsk"}})), ErrorCode::kNotFound);
  EXPECT_EQ(code(keeper_->ds_seen({{"zone", "pool.example"}})), ErrorCode::kInvalid);
  EXPECT_EQ(code(keeper_->ds_seen({{"zone", "pool.example"}, {"tags", {1}}})),
            ErrorCode::kNotFound);
  EXPECT_EQ(code(keeper_->generate({{"zone", "none.example"}})), ErrorCode::kNotFound);
}

TEST_F(KeyKeeperTest, keys_can_be_made_before_a_zone_is_served) {
  const auto made = keeper_->generate({{"zone", "pool.example"}});
  ASSERT_TRUE(made.ok()) << made.error().text();
  const json::value tag = made->at("keys").as_array()[0].at("tag");
  look();
  EXPECT_EQ(zone_report().at("keys").as_array()[0].at("tag"), tag);
}

TEST_F(KeyKeeperTest, one_process_at_a_time_rolls_the_keys_of_a_directory) {
  look();
  auto second = KeyKeeper::create(config_, logger_, {});
  ASSERT_TRUE(second.ok());
  (*second)->expect(served_);
  (*second)->serve(served_);
  EXPECT_EQ((*second)->keys()->size(), 1U);
  EXPECT_NE((*second)->keys()->begin()->second, nullptr);
  EXPECT_FALSE((*second)->roll({{"zone", "pool.example"}}).ok());
  // In a take-over the first leaves them to the second, and has them back when that goes.
  keeper_->leave();
  keeper_->look();
  (*second)->look();
  EXPECT_TRUE((*second)->roll({{"zone", "pool.example"}}).ok());
  keeper_->resume();
  keeper_->look();
  EXPECT_FALSE(keeper_->roll({{"zone", "pool.example"}}).ok());
  second->reset();
  keeper_->look();
  EXPECT_TRUE(keeper_->roll({{"zone", "pool.example"}}).ok());
}

TEST_F(KeyKeeperTest, a_directory_that_others_may_write_to_is_refused) {
  ASSERT_EQ(::chmod(config_.directory.c_str(), 0777), 0);
  const auto refused = keeper_->reconfigure(config_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
  EXPECT_NE(refused.error().text().find("[dnssec] directory"), std::string::npos);
}

TEST_F(KeyKeeperTest, metrics_count_keys_by_state_and_tell_what_is_wrong) {
  look();
  net::MetricSink sink;
  keeper_->write_metrics(sink);
  const std::string text = sink.text();
  EXPECT_NE(text.find("timepool_dnsd_keys{zone=\"pool.example.\",state=\"active\"} 1"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("timepool_dnsd_keys_wrong{zone=\"pool.example.\"} 0"), std::string::npos)
      << text;
  EXPECT_NE(text.find("timepool_dnsd_keys_next_event_seconds"), std::string::npos) << text;
}

TEST_F(KeyKeeperTest, zones_have_keys_before_they_are_served_and_keep_them_while_they_are_awaited) {
  config_.zones[0].name = "*";
  ASSERT_TRUE(keeper_->reconfigure(config_).ok());
  keeper_->expect({name("a.example.")});
  ASSERT_EQ(told_->size(), 1U);
  const auto first = told_->begin()->second;
  EXPECT_NE(first, nullptr);
  keeper_->serve({name("a.example.")});
  // Somebody looks in the middle of a change: neither set of zones is without keys.
  keeper_->expect({name("b.example.")});
  keeper_->look();
  EXPECT_EQ(told_->size(), 2U);
  keeper_->serve({name("b.example.")});
  EXPECT_EQ(told_->size(), 2U);
  keeper_->look();
  ASSERT_EQ(told_->size(), 1U);
  EXPECT_EQ(told_->begin()->first, std::string("\1b\7example\0", 11));
}

TEST_F(KeyKeeperTest, a_zone_whose_keys_cannot_be_made_is_told_to_have_none) {
  ASSERT_EQ(::mkdir((config_.directory + "/pool.example.state").c_str(), 0700), 0);
  keeper_->expect(served_);
  ASSERT_EQ(told_->size(), 1U);
  EXPECT_EQ(told_->begin()->second, nullptr);
}

TEST_F(KeyKeeperTest, a_zone_that_was_led_out_of_DNSSEC_waits_for_no_keys) {
  config_.zones[0].unsign = true;
  ASSERT_TRUE(keeper_->reconfigure(config_).ok());
  look();
  EXPECT_TRUE(keeper_->keys()->empty());
  config_.zones[0].unsign = false;
  ASSERT_TRUE(keeper_->reconfigure(config_).ok());
  look();
  EXPECT_EQ(keeper_->keys()->size(), 1U);
}

TEST_F(KeyKeeperTest, many_first_keys_are_made_at_once) {
  config_.zones[0].name = "*";
  ASSERT_TRUE(keeper_->reconfigure(config_).ok());
  std::vector<wire::dns::DnsName> zones;
  for (int i = 0; i < 100; ++i)
    zones.push_back(name(("z" + std::to_string(i) + ".example.").c_str()));
  keeper_->expect(zones);
  EXPECT_EQ(changes_, 1);
  ASSERT_EQ(told_->size(), 100U);
  for (const auto& [zone, keys] : *told_) EXPECT_NE(keys, nullptr);
}

}  // namespace
}  // namespace timepool::dnsd
