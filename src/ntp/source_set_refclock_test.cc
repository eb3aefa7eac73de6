// Reference clocks as members of the source set.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "ntp/source_set.h"

namespace timepool::ntp {
namespace {

const UnixTime kEpoch = UnixTime::from_seconds(1'790'000'000);
const MonoTime kMono = MonoTime::from_ns(7'000'000'000);

// The local clock is behind by this. Whole seconds since kEpoch of true time are `at(0)`, `at(1)`.
constexpr Duration kBehind = Duration::milliseconds(1700);

LocalTime at(double seconds) {
  const Duration span = Duration::from_seconds(seconds);
  return {kMono + span, kEpoch + span - kBehind};
}

RefclockConfig named(const std::string& name, const std::string& lock = "") {
  RefclockConfig out;
  out.name = name;
  out.reference_id = wire::ntp::ReferenceId::from_text(name);
  out.lock = lock;
  // Distances of milliseconds, so that honest clocks agree.
  out.delay = Duration::milliseconds(2);
  return out;
}

class RefclocksOfASet : public ::testing::Test {
 protected:
  struct Clock {
    AssociationId id = 0;
    bool pulse = false;
    Duration error;  // its time less the true time
    bool gives = true;
  };

  void start(std::size_t min_sources) {
    SourceSetConfig config;
    config.min_sources = min_sources;
    set_ = std::make_unique<SourceSet>(config);
  }
  Clock& add(const RefclockConfig& config, bool pulse = false, Duration error = Duration()) {
    const auto id = set_->add_refclock(config, at(now_).mono);
    EXPECT_TRUE(id.has_value());
    return clocks_[config.name] = {id.value_or(0), pulse, error, true};
  }
  // Every second of true time each clock gives a reading.
  void run(int seconds) {
    for (int i = 0; i < seconds; ++i, now_ += 1) {
      for (auto& [name, clock] : clocks_) {
        if (clock.gives) give(clock);
      }
      events_.clear();
      set_->handle_timer(at(now_ + 0.5), random_, events_);
    }
  }
  void give(const Clock& clock) {
    RefclockReading reading;
    reading.local = at(now_).raw;
    reading.pulse = clock.pulse;
    if (clock.pulse) {
      reading.local = reading.local - clock.error;
    } else {
      reading.offset = kBehind + clock.error;
    }
    last_[clock.id] = set_->handle_refclock(clock.id, RefclockReason::kAccepted, reading, at(now_));
  }
  SourceStatus status(const std::string& name) const {
    for (const SourceReport& report : set_->reports(at(now_).mono)) {
      if (report.name == name) return report.status;
    }
    ADD_FAILURE() << "no " << name;
    return SourceStatus::kUnusable;
  }
  Tracking tracking() const { return set_->tracking(at(now_).mono); }

  std::unique_ptr<SourceSet> set_;
  std::map<std::string, Clock> clocks_;
  std::map<AssociationId, RefclockReason> last_;
  double now_ = 0;
  RandomStream random_{SiphashKey{1, 2}};
  Outbox events_;
};

TEST_F(RefclocksOfASet, one_is_a_reference_of_stratum_1) {
  start(1);
  add(named("GPS"));
  run(20);
  const Tracking out = tracking();
  ASSERT_TRUE(out.synchronised);
  EXPECT_EQ(out.stratum, 1);
  EXPECT_EQ(out.reference_id, wire::ntp::ReferenceId::from_text("GPS"));
  EXPECT_LT((out.offset - kBehind).abs(), Duration::microseconds(1));
  EXPECT_EQ(set_->title(out.association), "GPS");
  const SourceReport report = set_->reports(at(now_).mono).front();
  EXPECT_EQ(report.kind, SourceKind::kRefclock);
  EXPECT_FALSE(report.server.has_value());
  EXPECT_EQ(report.refclock_reason, RefclockReason::kAccepted);
  ASSERT_EQ(set_->refclocks().size(), 1U);
  EXPECT_EQ(set_->refclocks().front().second->count(RefclockReason::kAccepted), 20U);
}

TEST_F(RefclocksOfASet, B5_one_of_two_that_lies_is_no_majority_and_a_third_decides) {
  start(1);
  add(named("SHM0"));
  add(named("SHM1"), false, Duration::seconds(1));
  run(60);
  EXPECT_FALSE(tracking().synchronised);
  EXPECT_EQ(status("SHM0"), SourceStatus::kUnusable);
  EXPECT_EQ(status("SHM1"), SourceStatus::kUnusable);

  add(named("SHM2"));
  run(60);
  ASSERT_TRUE(tracking().synchronised);
  EXPECT_LT((tracking().offset - kBehind).abs(), Duration::milliseconds(3));
  EXPECT_EQ(status("SHM1"), SourceStatus::kFalseticker);
  EXPECT_NE(status("SHM0"), SourceStatus::kFalseticker);
  EXPECT_NE(status("SHM2"), SourceStatus::kFalseticker);
}

TEST_F(RefclocksOfASet, a_pulse_takes_its_second_from_the_clock_that_it_is_locked_to) {
  start(1);
  RefclockConfig messages = named("NMEA");
  messages.delay = Duration::milliseconds(400);
  messages.select.noselect = true;
  add(messages, false, Duration::milliseconds(-120));
  const AssociationId pps = add(named("PPS", "NMEA"), true).id;
  run(3);
  EXPECT_EQ(last_[pps], RefclockReason::kNoSecond);
  run(40);
  EXPECT_EQ(last_[pps], RefclockReason::kAccepted);
  ASSERT_TRUE(tracking().synchronised);
  EXPECT_EQ(set_->title(tracking().association), "PPS");
  EXPECT_LT((tracking().offset - kBehind).abs(), Duration::microseconds(1));
}

TEST_F(RefclocksOfASet, a_pulse_that_is_locked_to_nothing_waits_for_the_sources_together) {
  start(1);
  const AssociationId pps = add(named("PPS"), true).id;
  run(30);
  EXPECT_EQ(last_[pps], RefclockReason::kNoSecond);
  EXPECT_FALSE(tracking().synchronised);
  add(named("GPS"), false, Duration::microseconds(300));
  run(60);
  EXPECT_EQ(last_[pps], RefclockReason::kAccepted);
  EXPECT_LT((tracking().offset - kBehind).abs(), Duration::milliseconds(1));
}

TEST_F(RefclocksOfASet, a_clock_that_goes_dead_is_left) {
  start(1);
  add(named("GPS"));
  add(named("OTHR"), false, Duration::milliseconds(1));
  run(60);
  clocks_["GPS"].gives = false;
  run(200);
  EXPECT_EQ(status("GPS"), SourceStatus::kUnusable);
  EXPECT_TRUE(tracking().synchronised);
  EXPECT_EQ(set_->title(tracking().association), "OTHR");
}

TEST_F(RefclocksOfASet, names_are_used_once_and_there_is_a_most) {
  start(1);
  add(named("GPS"));
  EXPECT_FALSE(set_->add_refclock(named("GPS"), at(0).mono).has_value());
  EXPECT_FALSE(set_->add_refclock(named(""), at(0).mono).has_value());
  for (std::size_t i = 1; i < kMaxRefclocks; ++i) add(named("C" + std::to_string(i)));
  EXPECT_FALSE(set_->add_refclock(named("LAST"), at(0).mono).has_value());
}

TEST_F(RefclocksOfASet, readings_of_an_unknown_clock_are_nothing) {
  start(1);
  EXPECT_EQ(set_->handle_refclock(77, RefclockReason::kAccepted, {}, at(0)),
            RefclockReason::kNothingNew);
}

}  // namespace
}  // namespace timepool::ntp
