#include "dnsd/transfer_keeper.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "dns/signed_testing.h"
#include "dns/zone/master_file.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

using dns::testing::keys_for;

constexpr std::uint32_t kDay = 86'400;

std::shared_ptr<const dns::Zone> zone(std::uint32_t serial, const std::string& more = "",
                                      const std::string& origin = "example.net") {
  return std::make_shared<const dns::Zone>(
      dns::load_master("$TTL 60\n@ SOA ns h " + std::to_string(serial) +
                           " 1 1 1 30\n NS ns\nns A 192.0.2.1\n" + more,
                       origin)
          .value());
}

// One process: its keeper and the thread that signs for it.
class Server {
 public:
  explicit Server(const config::DnsdConfig& config) : keeper_(config, signer_, logger_) {
    signer_.start();
  }

  // What is served of the zones now, and what others may copy at once.
  struct Taken {
    std::vector<std::uint32_t> serials;
    TransferKeeper::Versions given;
  };
  Taken take(const std::vector<std::shared_ptr<const dns::Zone>>& documents) {
    std::vector<LoadedZone> zones;
    for (const auto& it : documents) zones.push_back({it, "test"});
    keeper_.wants_plan(now);
    auto plan = keeper_.plan(zones, now);
    Taken out;
    for (const LoadedZone& it : zones) out.serials.push_back(it.zone->serial);
    out.given = keeper_.commit(std::move(plan));
    return out;
  }
  // What the thread signs next. The keeper takes it.
  bool take_signed() {
    std::unique_lock lock(mutex_);
    const bool made =
        changed_.wait_for(lock, std::chrono::seconds(20), [this] { return !made_.empty(); });
    if (!made) return false;
    const auto [name, version] = made_.front();
    made_.erase(made_.begin());
    lock.unlock();
    return keeper_.take_signed(name, version);
  }
  std::shared_ptr<const dns::ZoneHistory> history(const char* name = "example.net") const {
    const auto& zones = keeper_.current()->zones;
    const auto at = zones.find(zone_key(wire::dns::DnsName::from_text(name).value()));
    return at == zones.end() ? nullptr : at->second;
  }
  void advance(std::uint32_t seconds) {
    now.mono = now.mono + Duration::seconds(seconds);
    now.unix_time += seconds;
  }
  TransferKeeper& keeper() { return keeper_; }
  TransferSigner& signer() { return signer_; }

  // Signatures are made by the system's clock.
  TransferKeeper::Now now{MonoTime::from_ns(1'000'000'000'000),
                          static_cast<std::uint32_t>(sys::unix_now().seconds())};

 private:
  sys::Logger logger_{"test", sys::LogLevel::kError, -1};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, std::shared_ptr<const dns::ZoneVersion>>> made_;
  TransferSigner signer_{logger_, [this](const std::string& name, auto version) {
                           const std::lock_guard lock(mutex_);
                           made_.emplace_back(name, std::move(version));
                           changed_.notify_all();
                         }};
  TransferKeeper keeper_;
};

class TransferKeeperTest : public ::testing::Test {
 protected:
  TransferKeeperTest() {
    config_.transfer.allow.push_back({{parse_prefix("127.0.0.0/8").value()}, "", {}});
  }
  void keep_journal() { config_.transfer.journal = root_.path(); }
  void sign_zones(bool unsign = false) {
    config::DnsdDnssecZoneConfig zone;
    zone.name = "*";
    zone.unsign = unsign;
    config_.dnssec.zones = {zone};
  }
  static std::shared_ptr<const dnssec::KeysByZone> keys(std::uint32_t ttl = 3600) {
    auto out = std::make_shared<dnssec::KeysByZone>(keys_for({"example.net"}));
    auto zone = std::make_shared<dnssec::ZoneKeys>(*out->begin()->second);
    zone->dnskey_ttl = ttl;
    out->begin()->second = zone;
    return out;
  }
  void damage(const char* file) {
    const std::string path = root_.path() + "/" + file;
    std::string text = sys::read_file(path, 1 << 20).value();
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 4);
    ASSERT_TRUE(sys::write_file_atomic(path, text).ok());
  }

  sys::TemporaryDirectory root_;
  config::DnsdConfig config_;
};

TEST_F(TransferKeeperTest, without_anybody_to_copy_it_a_zone_is_served_as_it_is) {
  Server it{config::DnsdConfig()};
  EXPECT_EQ(it.take({zone(7)}).serials, std::vector<std::uint32_t>{7});
  EXPECT_EQ(it.keeper().current(), nullptr);
  EXPECT_FALSE(it.keeper().wants_plan(it.now));
}

TEST_F(TransferKeeperTest, a_zone_without_keys_is_given_on_at_once_with_its_own_serial) {
  Server it(config_);
  const auto taken = it.take({zone(7), zone(3, "", "example.org")});
  EXPECT_EQ(taken.serials, (std::vector<std::uint32_t>{7, 3}));
  EXPECT_EQ(taken.given.size(), 2U);
  EXPECT_EQ(it.history()->current()->serial, 7U);
  // The same content, read anew.
  EXPECT_TRUE(it.take({zone(7), zone(3, "", "example.org")}).given.empty());
  // One goes.
  EXPECT_TRUE(it.take({zone(7)}).given.empty());
  EXPECT_EQ(it.history("example.org"), nullptr);
}

TEST_F(TransferKeeperTest, what_changes_with_the_same_serial_gets_the_next_one) {
  Server it(config_);
  it.take({zone(7)});
  auto taken = it.take({zone(7, "a TXT x\n")});
  EXPECT_EQ(taken.serials[0], 8U);
  ASSERT_EQ(taken.given.size(), 1U);
  EXPECT_EQ(taken.given[0]->serial, 8U);
  EXPECT_EQ(it.history()->since(7).size(), 1U);
  // A document that goes on is followed; one that is behind what was given on is not.
  EXPECT_EQ(it.take({zone(20, "a TXT x\n")}).serials[0], 20U);
  EXPECT_EQ(it.take({zone(9)}).serials[0], 21U);
  EXPECT_EQ(it.take({zone(9)}).serials[0], 21U);
  EXPECT_EQ(it.take({zone(5)}).serials[0], 21U);
}

TEST_F(TransferKeeperTest, a_zone_that_is_to_be_signed_is_given_on_signed_or_not_at_all) {
  sign_zones();
  Server it(config_);
  EXPECT_TRUE(it.take({zone(7)}).given.empty());
  EXPECT_EQ(it.history(), nullptr);
  it.advance(3600);
  EXPECT_FALSE(it.take({zone(7)}).given.size() > 0);
  it.keeper().take_keys(keys());
  EXPECT_TRUE(it.keeper().wants_plan(it.now));
  EXPECT_EQ(it.take({zone(7)}).serials[0], 7U);
  EXPECT_EQ(it.history(), nullptr);
  ASSERT_TRUE(it.take_signed());
  EXPECT_EQ(it.history()->current()->serial, 7U);
  EXPECT_TRUE(dns::signature_state(*it.history()->current()).is_signed);
  EXPECT_FALSE(it.keeper().wants_plan(it.now));
}

// Refresh, retry and expire of an SOA.
std::array<std::uint32_t, 3> times_of(const std::vector<std::byte>& soa) {
  ByteReader reader(soa);
  reader.seek(soa.size() - dns::kSoaNumbers + 4);
  return {reader.u32(), reader.u32(), reader.u32()};
}

TEST_F(TransferKeeperTest, a_copy_expires_before_its_signatures_and_our_own_soa_says_the_same) {
  sign_zones();
  const auto geodns = std::make_shared<const dns::Zone>(
      dns::load_zone(R"({"serial":7,"data":{"":{"ns":{"ns.example.org":null}}}})", "example.net", 1)
          .value());
  for (const auto& document : {geodns, zone(7, "", "example.net")}) {
    Server it(config_);
    std::vector<LoadedZone> zones{{document, "test"}};
    it.keeper().take_keys(keys());
    it.keeper().commit(it.keeper().plan(zones, it.now));
    ASSERT_TRUE(it.take_signed());
    const auto copy = it.history()->current();
    EXPECT_EQ(dns::soa_data(*zones[0].zone), copy->soa.rdata);
    const auto [refresh, retry, expire] = times_of(copy->soa.rdata);
    // Seven days, made anew when half is left, of which an eighth is kept in reserve.
    EXPECT_EQ(expire, document->plain ? 1U : 7 * kDay / 2 - 7 * kDay / 16);
    const std::uint32_t left = dns::signature_state(*copy).first_expiration - it.now.unix_time;
    EXPECT_GT(left, expire);
    EXPECT_LT(refresh + retry, std::max(expire, 3U));
  }
}

TEST_F(TransferKeeperTest, an_soa_is_bounded_while_its_zone_is_signed_and_no_longer) {
  sign_zones(true);
  config_.dnssec.static_signatures = Duration::seconds(1200);
  const std::string soa = "@ SOA ns h 7 5400 3600 1209600 30\n NS ns\nns A 192.0.2.1\n";
  const auto document =
      std::make_shared<const dns::Zone>(dns::load_master("$TTL 60\n" + soa, "example.net").value());
  Server it(config_);
  it.keeper().take_keys(keys());
  it.take({document});
  ASSERT_TRUE(it.take_signed());
  using Times = std::array<std::uint32_t, 3>;
  EXPECT_EQ(times_of(it.history()->current()->soa.rdata), (Times{131, 131, 525}));
  config_.dnssec.static_signatures = Duration::seconds(2400);
  it.keeper().reconfigure(config_);
  EXPECT_EQ(it.take({document}).serials[0], 8U);
  ASSERT_TRUE(it.take_signed());
  EXPECT_EQ(times_of(it.history()->current()->soa.rdata), (Times{262, 262, 1050}));
  it.advance(60);
  it.keeper().take_keys(nullptr);
  EXPECT_EQ(it.take({document}).serials[0], 9U);
  EXPECT_EQ(times_of(it.history()->current()->soa.rdata), (Times{5400, 3600, 1'209'600}));
}

TEST_F(TransferKeeperTest, other_keys_and_signatures_that_age_are_new_serials) {
  sign_zones();
  Server it(config_);
  const auto document = zone(7);
  it.keeper().take_keys(keys());
  it.take({document});
  ASSERT_TRUE(it.take_signed());
  it.keeper().take_keys(keys(7200));
  EXPECT_EQ(it.take({document}).serials[0], 8U);
  ASSERT_TRUE(it.take_signed());
  EXPECT_EQ(it.history()->since(7).size(), 1U);
  // Equal keys in another object are no change.
  it.keeper().take_keys(keys(7200));
  EXPECT_EQ(it.take({document}).serials[0], 8U);
  it.advance(kDay);
  EXPECT_FALSE(it.keeper().wants_plan(it.now));
  it.advance(3 * kDay);
  EXPECT_TRUE(it.keeper().wants_plan(it.now));
  EXPECT_EQ(it.take({document}).serials[0], 9U);
  // While that is being signed nothing more is asked for.
  EXPECT_FALSE(it.keeper().wants_plan(it.now));
  EXPECT_EQ(it.take({document}).serials[0], 9U);
  ASSERT_TRUE(it.take_signed());
  EXPECT_EQ(it.history()->current()->serial, 9U);
}

TEST_F(TransferKeeperTest, of_a_zone_that_changes_while_it_is_signed_the_newest_is_given_on) {
  sign_zones();
  Server it(config_);
  it.keeper().take_keys(keys());
  it.take({zone(7)});
  it.take({zone(8, "a TXT x\n")});
  // Whether the first was signed or not: in the end it is the second.
  while (it.history() == nullptr || it.history()->current()->serial != 8) {
    ASSERT_TRUE(it.take_signed());
  }
  EXPECT_EQ(it.keeper().report().zones.at(0).serial, 8U);
  // The thread ends its turn after it delivered.
  while (it.keeper().report().signing.waiting != 0) std::this_thread::yield();
}

TEST_F(TransferKeeperTest, keys_that_cannot_sign_leave_what_was_given_on) {
  sign_zones();
  Server it(config_);
  it.keeper().take_keys(keys());
  it.take({zone(7)});
  ASSERT_TRUE(it.take_signed());
  auto broken = std::make_shared<dnssec::KeysByZone>(*keys());
  auto none = std::make_shared<dnssec::ZoneKeys>(*broken->begin()->second);
  for (auto& key : none->keys) key.signer.reset();
  broken->begin()->second = none;
  it.keeper().take_keys(broken);
  it.take({zone(8)});
  while (it.signer().counts().failures == 0) std::this_thread::yield();
  EXPECT_EQ(it.history()->current()->serial, 7U);
  EXPECT_EQ(it.signer().counts().waiting, 1U);
}

TEST_F(TransferKeeperTest, a_zone_led_out_of_dnssec_is_given_on_unsigned_a_little_later) {
  sign_zones(true);
  Server it(config_);
  it.keeper().take_keys(keys());
  it.take({zone(7)});
  ASSERT_TRUE(it.take_signed());
  it.advance(60);
  auto missing = std::make_shared<dnssec::KeysByZone>(*keys());
  missing->begin()->second = nullptr;
  it.keeper().take_keys(missing);
  EXPECT_TRUE(it.take({zone(7)}).given.empty());
  EXPECT_EQ(it.history()->current()->serial, 7U);
  it.keeper().take_keys(nullptr);
  const auto taken = it.take({zone(7)});
  EXPECT_EQ(taken.serials[0], 8U);
  ASSERT_EQ(taken.given.size(), 1U);
  EXPECT_FALSE(dns::signature_state(*taken.given[0]).is_signed);
  // A process that begins does not know yet whether there are keys.
  Server other(config_);
  EXPECT_TRUE(other.take({zone(7)}).given.empty());
  other.advance(11);
  EXPECT_TRUE(other.keeper().wants_plan(other.now));
  EXPECT_EQ(other.take({zone(7)}).given.size(), 1U);
}

TEST_F(TransferKeeperTest, a_restart_goes_on_where_it_was) {
  sign_zones();
  keep_journal();
  // Differences are kept while they are shorter than the zone.
  std::string filler;
  for (int i = 0; i < 30; ++i) filler += "n" + std::to_string(i) + " TXT x\n";
  const auto document = [&filler](const std::string& more) { return zone(7, filler + more); };
  std::vector<dns::TransferRecord> records;
  {
    Server it(config_);
    it.keeper().take_keys(keys());
    it.take({document("")});
    ASSERT_TRUE(it.take_signed());
    it.take({document("a TXT x\n")});
    ASSERT_TRUE(it.take_signed());
    records = it.history()->current()->records;
  }
  Server it(config_);
  // Before its keys are known it serves what it served, with that serial.
  EXPECT_EQ(it.take({document("a TXT x\n")}).serials[0], 8U);
  EXPECT_EQ(it.history()->current()->records, records);
  it.keeper().take_keys(keys());
  EXPECT_EQ(it.take({document("a TXT x\n")}).serials[0], 8U);
  EXPECT_EQ(it.history()->since(7).size(), 1U);
  EXPECT_EQ(it.keeper().report().versions, 0U);
  EXPECT_EQ(it.take({document("")}).serials[0], 9U);
  ASSERT_TRUE(it.take_signed());
  EXPECT_EQ(it.history()->since(7).size(), 2U);
}

TEST_F(TransferKeeperTest, of_two_processes_one_makes_versions) {
  keep_journal();
  auto first = std::make_unique<Server>(config_);
  first->take({zone(7)});
  Server second(config_);
  EXPECT_EQ(second.take({zone(9)}).serials[0], 7U);
  EXPECT_EQ(second.history()->current()->serial, 7U);
  EXPECT_EQ(first->take({zone(8, "a TXT x\n")}).serials[0], 8U);
  first.reset();
  EXPECT_TRUE(second.keeper().wants_plan(second.now));
  EXPECT_EQ(second.take({zone(9)}).serials[0], 9U);
  EXPECT_EQ(second.history()->since(7).size(), 2U);
}

TEST_F(TransferKeeperTest, a_damaged_journal_is_told_and_no_serial_falls_back) {
  keep_journal();
  Server(config_).take({zone(7)});
  damage("example.net.transfers");
  {
    Server it(config_);
    EXPECT_EQ(it.take({zone(2)}).serials[0], 8U);
    EXPECT_EQ(it.keeper().report().journal.corrupt, 1U);
    EXPECT_TRUE(it.history()->since(7).empty());
  }
  damage("example.net.transfers");
  damage("example.net.serial");
  Server it(config_);
  EXPECT_EQ(it.take({zone(2)}).serials[0], 2U + 65'536U + 1U);
  EXPECT_EQ(it.keeper().report().journal.corrupt, 2U);
}

TEST_F(TransferKeeperTest, a_journal_that_cannot_be_written_is_told_and_zones_are_given_on) {
  keep_journal();
  Server it(config_);
  it.take({zone(7)});
  EXPECT_EQ(it.keeper().report().journal.written, 1U);
  std::filesystem::remove_all(root_.path());
  EXPECT_EQ(it.take({zone(8)}).given.size(), 1U);
  EXPECT_EQ(it.keeper().report().journal.failed, 1U);
  EXPECT_NE(it.keeper().problem().find("[transfer] journal"), std::string::npos);
  std::filesystem::create_directories(root_.path());
  it.take({zone(9)});
  EXPECT_EQ(it.keeper().problem(), "");
}

TEST_F(TransferKeeperTest, a_journal_of_another_name_or_a_long_one_has_a_file_of_its_own) {
  keep_journal();
  const std::string label(63, 'x');
  const std::string longest = label + '.' + label + '.' + label + '.' + label.substr(13);
  Server it(config_);
  it.take({zone(1, "", longest), zone(2, "", "a\\/b.test"), zone(3, "", "c%d.test"),
           zone(4, "", "y" + longest.substr(1))});
  Server other(config_);
  EXPECT_EQ(other
                .take({zone(0, "", longest), zone(0, "", "a\\/b.test"), zone(0, "", "c%d.test"),
                       zone(0, "", "y" + longest.substr(1))})
                .serials,
            (std::vector<std::uint32_t>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace timepool::dnsd
