#include "ntp/discipline.h"

#include <gtest/gtest.h>

#include <cmath>

namespace timepool::ntp {
namespace {

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);
const MonoTime kMono = MonoTime::from_ns(77);

Duration ms(std::int64_t n) {
  return Duration::milliseconds(n);
}

// A clock whose oscillator is slow by `frequency`, an estimate that knows the truth, and what the
// discipline does with it.
class DisciplineTest : public ::testing::Test {
 protected:
  void make(Duration offset, double frequency) {
    discipline_.emplace(config_, 0);
    offset_ = offset;
    frequency_ = frequency;
  }
  Duration error() const {
    const UnixTime raw = clock_.local(now_).raw;
    return offset_ + Duration::from_seconds(frequency_ * (raw - kStart).to_seconds()) -
           clock_.correction(raw);
  }
  void apply(const Steering& steering) {
    // The kernel's resolution.
    clock_.rate_changed(now_, std::round(steering.rate * 65536e6) / 65536e6);
    if (steering.step != Duration()) clock_.stepped(now_, steering.step);
    steps_ += steering.step != Duration() ? 1 : 0;
  }
  void update() {
    const LocalTime local = clock_.local(now_);
    ClockEstimate estimate;
    estimate.at = local;
    estimate.offset =
        offset_ + Duration::from_seconds(frequency_ * (local.raw - kStart).to_seconds());
    estimate.frequency = frequency_;
    estimate.has_frequency = true;
    estimate.offset_sd = 1e-6;
    estimate.sources = 1;
    apply(discipline_->update(estimate, clock_, local));
  }
  // Timers as they come, each this late; the worst overshoot past zero.
  void run(Duration span, Duration late) {
    const MonoTime end = now_ + span;
    const int sign = error() < Duration() ? -1 : 1;
    while (discipline_->next_deadline() < end) {
      now_ = std::max(now_, discipline_->next_deadline() + late);
      overshoot_ = std::max(overshoot_, error() * -sign);
      apply(discipline_->handle_timer(clock_, clock_.local(now_)));
      ++timers_;
    }
    now_ = std::max(now_, end);
    overshoot_ = std::max(overshoot_, error() * -sign);
  }

  DisciplineConfig config_;
  std::optional<Discipline> discipline_;
  LocalClock clock_{{kMono, kStart, {}}, 0};
  MonoTime now_ = kMono;
  Duration offset_;
  double frequency_ = 0;
  Duration overshoot_;
  int timers_ = 0;
  int steps_ = 0;
};

TEST_F(DisciplineTest, frequency_and_phase_are_taken_out) {
  make(ms(1), 50e-6);
  update();
  run(Duration::seconds(60), ms(1));
  EXPECT_LE(error().abs(), Duration::microseconds(2));
  EXPECT_NEAR(clock_.rate(), 50e-6, 2e-11);
  // Until the next estimate the base rate holds the clock.
  now_ = now_ + Duration::seconds(1000);
  EXPECT_LE(error().abs(), Duration::microseconds(2));
}

TEST_F(DisciplineTest, a_slew_of_100_seconds_does_not_overshoot) {
  config_.rules.step.limit = 0;
  for (const std::int64_t seconds : {100, -100}) {
    now_ = kMono;
    clock_ = LocalClock({kMono, kStart, {}}, 0);
    make(Duration::seconds(seconds), -100e-6);
    update();
    run(Duration::seconds(1500), ms(20));
    EXPECT_EQ(steps_, 0);
    EXPECT_LE(error().abs(), ms(1)) << seconds;
    EXPECT_LE(overshoot_, ms(1)) << seconds;
    EXPECT_LE(timers_, 20) << "it must end";
  }
}

TEST_F(DisciplineTest, the_rate_never_leaves_its_limit) {
  config_.rules.step.limit = 0;
  config_.max_slew_rate = 500e-6;
  make(Duration::seconds(3), 20e-6);
  update();
  EXPECT_NEAR(clock_.rate(), 520e-6, 1e-10);
}

TEST_F(DisciplineTest, steps_only_above_the_threshold_and_in_the_first_updates) {
  config_.rules.step = {Duration::seconds(1), 2, 1};
  make(Duration::seconds(5), 0);
  update();
  EXPECT_EQ(steps_, 1);
  EXPECT_EQ(error(), Duration());
  offset_ += ms(900);
  update();
  EXPECT_EQ(steps_, 1) << "below the threshold";
  offset_ += Duration::seconds(10);
  update();
  EXPECT_EQ(steps_, 1) << "the third update";
}

TEST_F(DisciplineTest, a_negative_limit_steps_at_any_time) {
  config_.rules.step = {Duration::seconds(1), -1, 1};
  make(Duration(), 0);
  for (int i = 0; i < 10; ++i) update();
  offset_ -= Duration::seconds(5);
  update();
  EXPECT_EQ(steps_, 1);
}

TEST_F(DisciplineTest, an_unsure_frequency_is_not_taken) {
  make(Duration(), 0);
  ClockEstimate estimate;
  estimate.at = clock_.local(now_);
  estimate.has_frequency = true;
  estimate.frequency = 0.05;
  estimate.frequency_sd = 0.02;
  discipline_->update(estimate, clock_, clock_.local(now_));
  EXPECT_EQ(discipline_->base_rate(), 0);
}

TEST_F(DisciplineTest, what_is_refused_leaves_the_clock_at_its_base_rate_until_accepted) {
  make(Duration::seconds(5000), 40e-6);
  update();
  EXPECT_EQ(discipline_->verdict(), CorrectionVerdict::kPanic);
  EXPECT_EQ(steps_, 0);
  EXPECT_EQ(clock_.rate(), 0) << "nothing is taken from it";
  EXPECT_EQ(discipline_->next_deadline(), MonoTime::max());
  apply(discipline_->accept(clock_, clock_.local(now_)));
  EXPECT_EQ(steps_, 1);
  EXPECT_LE(error().abs(), Duration::nanoseconds(1));
  EXPECT_NEAR(clock_.rate(), 40e-6, 1e-10);
}

TEST_F(DisciplineTest, the_frequency_of_an_earlier_run_holds_until_it_is_known_better) {
  discipline_.emplace(config_, 60e-6, 1e-6);
  ClockEstimate estimate;
  estimate.at = clock_.local(now_);
  estimate.has_frequency = true;
  estimate.frequency_sd = 100e-6;
  discipline_->update(estimate, clock_, clock_.local(now_));
  EXPECT_EQ(discipline_->base_rate(), 60e-6);
  EXPECT_FALSE(discipline_->has_frequency());
  estimate.frequency = 58e-6;
  estimate.frequency_sd = 0.5e-6;
  discipline_->update(estimate, clock_, clock_.local(now_));
  EXPECT_EQ(discipline_->base_rate(), 58e-6);
  estimate.frequency = 55e-6;
  estimate.frequency_sd = 3e-6;
  discipline_->update(estimate, clock_, clock_.local(now_));
  EXPECT_EQ(discipline_->base_rate(), 55e-6) << "from now on each is taken";
}

TEST_F(DisciplineTest, lost_time_ends_the_slew_and_keeps_the_frequency) {
  make(ms(500), 30e-6);
  update();
  EXPECT_NE(discipline_->next_deadline(), MonoTime::max());
  discipline_->handle_time_lost();
  EXPECT_EQ(discipline_->next_deadline(), MonoTime::max());
  EXPECT_FALSE(discipline_->estimate());
  EXPECT_NEAR(discipline_->base_rate(), 30e-6, 1e-12);
}

}  // namespace
}  // namespace timepool::ntp
