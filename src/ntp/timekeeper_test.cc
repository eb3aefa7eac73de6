#include "ntp/timekeeper.h"

#include <gtest/gtest.h>

#include <vector>

#include "ntp/broadcast_test_support.h"
#include "ntp/peer_test_support.h"
#include "ntp/server/responder.h"

namespace timepool::ntp {
namespace {

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);
const MonoTime kMono = MonoTime::from_ns(5'000'000'000);
const IpAddress kServer = IpAddress::v4(0xc0000201);

Duration ms(std::int64_t n) {
  return Duration::milliseconds(n);
}

// A clock without an error of its own, whose every change is seen.
class FakeClock final : public ClockControl {
 public:
  bool steers() const override { return steering; }
  Result<RateChange> set_rate(double wanted) override {
    EXPECT_TRUE(steering) << "an observed clock was changed";
    if (broken) return fail(Error{ErrorCode::kDenied, "set the clock's rate", "not permitted"});
    settle();
    rate = wanted;
    return RateChange{read(), rate};
  }
  Result<ClockReading> step(Duration by) override {
    EXPECT_TRUE(steering) << "an observed clock was changed";
    stepped += by;
    steps.push_back(by);
    return read();
  }
  Result<void> set_status(const ClockStatus& told) override {
    EXPECT_TRUE(steering) << "an observed clock was changed";
    status = told;
    return {};
  }
  Result<void> set_tai_offset(int) override { return {}; }
  Result<ClockState> state() override { return ClockState{rate, disturbed}; }

  void advance(Duration by) { truth = truth + by; }
  ClockReading read() const {
    const Duration slewed =
        slewed_before + Duration::from_seconds(rate * (truth - since_rate).to_seconds());
    return {kMono + (truth - kStart) + slewed - suspended, truth + slewed + stepped, suspended};
  }
  void settle() {
    slewed_before += Duration::from_seconds(rate * (truth - since_rate).to_seconds());
    since_rate = truth;
  }

  bool steering = true;
  bool broken = false;
  bool disturbed = false;
  UnixTime truth = kStart;
  double rate = 0;
  UnixTime since_rate = kStart;
  Duration slewed_before;
  Duration stepped;
  Duration suspended;
  std::vector<Duration> steps;
  ClockStatus status;
};

class TimekeeperTest : public ::testing::Test {
 protected:
  void make() {
    keeper_.emplace(config_, clock_, clock_.read());
    SourceConfig source;
    source.name = "192.0.2.1";
    source.poll = {4, 4, false};
    ASSERT_TRUE(keeper_->sources().add(source, clock_.read().mono).ok());
  }
  // Lets time pass until the next request is out and answered; the reason for the answer.
  ReplyReason exchange(Duration step_between = {}) {
    for (int i = 0; i < 1000; ++i) {
      const Duration left = keeper_->next_deadline() - clock_.read().mono;
      clock_.advance(std::max(left, Duration()) + Duration::nanoseconds(2));
      out_.clear();
      keeper_->handle_timer(clock_.read(), random_, out_);
      note();
      if (!out_.sends.empty()) break;
    }
    if (out_.sends.empty()) return ReplyReason::kUnsolicited;
    const SendAction send = out_.sends[0];
    ServerState state;
    state.leap = wire::ntp::Leap::kNone;
    state.stratum = 1;
    state.reference_time = clock_.truth;
    clock_.advance(ms(5));
    clock_.stepped += step_between;
    std::vector<std::byte> reply(send.length);
    respond({clock_.truth, {IpAddress::v4(0xc0000263), 5000, 0}, {}}, send.bytes(), state, reply);
    set_transmit(reply, state, clock_.truth);
    clock_.advance(ms(5));
    out_.clear();
    const ClockReading now = clock_.read();
    const ReplyReason reason =
        keeper_->handle_datagram(send.association, {now, now.system}, reply, random_, out_);
    note();
    return reason;
  }
  // Nobody answers.
  void silence(Duration span) {
    const UnixTime end = clock_.truth + span;
    while (clock_.truth < end) {
      const Duration left = keeper_->next_deadline() - clock_.read().mono;
      clock_.advance(std::max(left, Duration()) + Duration::nanoseconds(2));
      out_.clear();
      keeper_->handle_timer(clock_.read(), random_, out_);
      note();
    }
  }
  void note() {
    for (const Event& event : out_.events) events_.push_back(event);
  }
  int count(EventKind kind) const {
    int out = 0;
    for (const Event& event : events_) out += event.kind == kind ? 1 : 0;
    return out;
  }
  Duration error() const { return clock_.truth - clock_.read().system; }
  // True time less the system clock's, as reported.
  Duration told() const { return keeper_->tracking(clock_.read().mono).offset; }

  FakeClock clock_;
  TimekeeperConfig config_;
  std::optional<Timekeeper> keeper_;
  RandomStream random_{{1, 2}};
  Outbox out_;
  std::vector<Event> events_;
};

TEST_F(TimekeeperTest, an_observed_clock_is_never_touched_and_reported_in_system_time) {
  clock_.steering = false;
  clock_.stepped = ms(300);
  make();
  EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  EXPECT_LE((told() - ms(-300)).abs(), ms(1));
  EXPECT_FALSE(keeper_->server_state(clock_.read().mono));
}

TEST_F(TimekeeperTest, a_steered_clock_is_brought_to_the_true_time) {
  clock_.stepped = ms(-400);
  make();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  EXPECT_LE(error().abs(), ms(1));
  EXPECT_TRUE(clock_.steps.empty());
  EXPECT_TRUE(clock_.status.synchronised);
  const auto served = keeper_->server_state(clock_.read().mono);
  ASSERT_TRUE(served);
  EXPECT_EQ(served->stratum, 2);
  EXPECT_TRUE(served->synchronised());
}

TEST_F(TimekeeperTest, reports_tell_what_is_still_to_be_corrected) {
  config_.discipline.rules.step.limit = 0;
  clock_.stepped = Duration::seconds(-30);
  make();
  EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  clock_.advance(Duration::seconds(10));
  EXPECT_LE((told() - error()).abs(), ms(1)) << "in the middle of the slew";
  EXPECT_LT(error(), Duration::seconds(30));
  const auto served = keeper_->server_state(clock_.read().mono);
  ASSERT_TRUE(served);
  EXPECT_GE(served->root_dispersion, error()) << "who asks us must know";
}

TEST_F(TimekeeperTest, a_clock_whose_sources_fall_silent_is_served_on_with_a_growing_error) {
  make();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  const auto before = keeper_->server_state(clock_.read().mono);
  ASSERT_TRUE(before);
  silence(Duration::seconds(4000));
  ASSERT_FALSE(keeper_->tracking(clock_.read().mono).synchronised);
  const auto after = keeper_->server_state(clock_.read().mono);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->stratum, before->stratum);
  EXPECT_EQ(after->reference_time, before->reference_time) << "it was not set since";
  EXPECT_GE(after->root_dispersion, before->root_dispersion + ms(4));
  EXPECT_GE(after->root_dispersion, error().abs());
}

TEST_F(TimekeeperTest, a_clock_that_followed_an_orphan_is_not_served_on_without_it) {
  config_.sources.selection.orphan_stratum = 1;
  make();
  keeper_->sources().set_own_identity({{IpAddress::v4(0xc0000205)}, {}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  const auto served = keeper_->server_state(clock_.read().mono);
  ASSERT_TRUE(served);
  EXPECT_EQ(served->stratum, 2);
  silence(Duration::seconds(4000));
  EXPECT_FALSE(keeper_->server_state(clock_.read().mono));
}

TEST_F(TimekeeperTest, a_step_by_another_spoils_the_open_exchange_and_nothing_else) {
  make();
  EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  EXPECT_EQ(exchange(Duration::seconds(7)), ReplyReason::kLocalClockStepped);
  EXPECT_EQ(count(EventKind::kClockStepped), 1);
  EXPECT_LE((told() - Duration::seconds(-7)).abs(), ms(1)) << "known from the samples before";
  EXPECT_EQ(exchange(), ReplyReason::kAccepted);
}

TEST_F(TimekeeperTest, a_suspend_is_no_step_and_drops_the_samples) {
  make();
  EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  clock_.suspended = Duration::seconds(3600);
  clock_.advance(Duration::seconds(3600));
  out_.clear();
  keeper_->handle_timer(clock_.read(), random_, out_);
  note();
  EXPECT_EQ(count(EventKind::kResumed), 1);
  EXPECT_EQ(count(EventKind::kClockStepped), 0);
  EXPECT_FALSE(keeper_->reports(clock_.read().mono)[0].has_estimate);
}

TEST_F(TimekeeperTest, a_rate_set_by_another_is_noticed_once_and_adopted) {
  make();
  EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  clock_.settle();
  clock_.rate = 300e-6;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  EXPECT_EQ(count(EventKind::kClockForeign), 1);
  EXPECT_EQ(keeper_->interferences(), 1u);
}

TEST_F(TimekeeperTest, a_loop_of_the_kernel_beside_us_is_told_once) {
  make();
  clock_.disturbed = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  EXPECT_EQ(count(EventKind::kClockForeign), 1);
}

TEST_F(TimekeeperTest, B25_a_refused_correction_is_told_once_and_can_be_accepted) {
  config_.discipline.rules.step.limit = -1;
  clock_.stepped = Duration::seconds(-9000);
  make();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  EXPECT_EQ(count(EventKind::kClockRefused), 1);
  EXPECT_TRUE(clock_.steps.empty());
  EXPECT_FALSE(clock_.status.synchronised) << "the kernel must not copy it to the hardware clock";
  EXPECT_FALSE(keeper_->server_state(clock_.read().mono)) << "nor may we serve it";
  out_.clear();
  EXPECT_TRUE(keeper_->accept_step(clock_.read(), out_));
  EXPECT_EQ(clock_.steps.size(), 1u);
  EXPECT_LE(error().abs(), ms(1));
}

TEST_F(TimekeeperTest, nothing_is_accepted_before_a_majority_agrees) {
  make();
  EXPECT_FALSE(keeper_->accept_step(clock_.read(), out_));
}

TEST_F(TimekeeperTest, B27_a_clock_before_the_floor_begins_at_it) {
  config_.discipline.rules.floor = kStart - Duration::seconds(50);
  config_.discipline.rules.last_good = kStart - Duration::seconds(20);
  clock_.stepped = Duration::seconds(-1'000'000);
  make();
  EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  ASSERT_EQ(clock_.steps.size(), 2u);
  EXPECT_LE((clock_.steps[0] - Duration::seconds(1'000'000 - 20)).abs(), ms(1));
  EXPECT_LE(error().abs(), ms(1)) << "and goes on to the true time";
}

TEST_F(TimekeeperTest, the_frequency_of_the_last_run_is_in_force_at_once) {
  config_.frequency = 33e-6;
  make();
  out_.clear();
  keeper_->handle_timer(clock_.read(), random_, out_);
  EXPECT_EQ(clock_.rate, 33e-6);
}

TEST_F(TimekeeperTest, the_end_leaves_the_clock_at_its_base_rate) {
  config_.discipline.rules.step.limit = 0;
  clock_.stepped = Duration::seconds(-30);
  make();
  EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  EXPECT_GT(clock_.rate, 0.05);
  keeper_->release(out_);
  EXPECT_EQ(clock_.rate, 0);
}

TEST_F(TimekeeperTest, a_clock_that_refuses_is_told) {
  make();
  clock_.broken = true;
  EXPECT_EQ(exchange(), ReplyReason::kAccepted);
  EXPECT_GE(count(EventKind::kClockFailed), 1);
  ASSERT_TRUE(keeper_->failure());
  EXPECT_EQ(keeper_->failure()->code, ErrorCode::kDenied);
}

TEST_F(TimekeeperTest, a_restart_with_saved_samples_needs_one_answer) {
  clock_.stepped = ms(30);
  make();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(exchange(), ReplyReason::kAccepted);
  const auto oscillator = [&] {
    const ClockReading now = clock_.read();
    // It has no error of its own, and no rate changes it.
    return OscillatorReading{
        {std::byte{7}}, kMono + (clock_.truth - kStart), now.mono, now.suspended};
  };
  const SavedSamples saved = keeper_->save_samples(oscillator());
  ASSERT_EQ(saved.windows.size(), 1u);
  EXPECT_EQ(saved.windows[0].samples.size(), 20u);
  // It crashes while it slews, and the rate stays.
  clock_.settle();
  clock_.rate = 5e-4;
  clock_.advance(Duration::seconds(600));
  make();
  ASSERT_TRUE(keeper_->resume(saved, oscillator()).ok());
  EXPECT_FALSE(keeper_->tracking(clock_.read().mono).synchronised) << "nobody has answered";
  EXPECT_EQ(keeper_->save_samples(oscillator()).windows.size(), 1u) << "a second restart";
  ASSERT_EQ(exchange(), ReplyReason::kAccepted);
  const MonoTime now = clock_.read().mono;
  const auto reports = keeper_->reports(now);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].estimate.count, 21u);
  EXPECT_LT(reports[0].estimate.frequency_sd, 1e-6);
  EXPECT_TRUE(keeper_->tracking(now).synchronised);
  EXPECT_LT((clock_.truth - clock_.read().system - keeper_->tracking(now).offset).abs(), ms(1));
}

TEST_F(TimekeeperTest, samples_of_another_boot_are_not_used) {
  make();
  for (int i = 0; i < 5; ++i) ASSERT_EQ(exchange(), ReplyReason::kAccepted);
  const MonoTime mono = clock_.read().mono;
  const SavedSamples saved = keeper_->save_samples({{std::byte{7}}, mono, mono, {}});
  make();
  const auto used = keeper_->resume(saved, {{std::byte{8}}, mono + ms(1), mono, {}});
  ASSERT_FALSE(used.ok());
  EXPECT_EQ(used.error(), StaleSamples::kOtherBoot);
  ASSERT_EQ(exchange(), ReplyReason::kAccepted);
  EXPECT_EQ(keeper_->reports(clock_.read().mono)[0].estimate.count, 1u);
}

// What a peer is told at the first packet.
wire::ntp::Header first_to_peer(FakeClock& clock, const std::optional<ServerState>& announced) {
  Timekeeper keeper(TimekeeperConfig{}, clock, clock.read(),
                    [](const Source&, const IpAddress&) { return std::make_unique<TestProof>(); });
  SourceConfig peer;
  peer.kind = SourceKind::kPeer;
  peer.name = "192.0.2.1";
  peer.authenticated = true;
  EXPECT_TRUE(keeper.sources().add(peer, clock.read().mono).ok());
  if (announced) keeper.announce(*announced);
  RandomStream random(SiphashKey{1, 2});
  Outbox out;
  for (int i = 0; i < 2 && out.sends.empty(); ++i) keeper.handle_timer(clock.read(), random, out);
  EXPECT_EQ(out.sends.size(), 1u);
  ByteReader reader(out.sends[0].bytes());
  return wire::ntp::read_header(reader);
}

TEST(TimekeeperPeers, a_peer_is_told_what_is_announced_in_system_time) {
  FakeClock clock;
  ServerState state;
  state.leap = wire::ntp::Leap::kNone;
  state.stratum = 3;
  const wire::ntp::Header told = first_to_peer(clock, state);
  EXPECT_EQ(told.stratum, 3);
  EXPECT_LE((told.transmit - to_ntp(clock.read().system)).abs(), Duration::microseconds(2));
  EXPECT_EQ(first_to_peer(clock, std::nullopt).leap, wire::ntp::Leap::kUnsynchronised);
}

// Broadcasts are where raw time says that they must be, however the clock is corrected meanwhile.
TEST(TimekeeperBroadcasts, correct_the_clock_and_fit_each_other_while_it_is_corrected) {
  FakeClock clock;
  clock.stepped = ms(40);
  Timekeeper keeper(TimekeeperConfig{}, clock, clock.read(),
                    [](const Source&, const IpAddress&) { return std::make_unique<TestProof>(); });
  SourceConfig config;
  config.kind = SourceKind::kBroadcast;
  config.name = "broadcast%eth0";
  config.authenticated = true;
  config.broadcast = {{Prefix(kServer, 24)}, ms(2)};
  const auto source = keeper.sources().add(config, clock.read().mono);
  ASSERT_TRUE(source.ok());
  TestBroadcaster server;
  RandomStream random(SiphashKey{1, 2});
  Outbox out;
  for (int i = 0; i < 10; ++i) {
    const std::vector<std::byte> bytes = server.broadcast(clock.truth);
    clock.advance(ms(2));
    const ClockReading now = clock.read();
    EXPECT_EQ(
        keeper.handle_broadcast(*source, {kServer, 123, 0}, {now, now.system}, bytes, random, out),
        ReplyReason::kAccepted);
    for (int second = 0; second < 64; ++second) {
      clock.advance(Duration::seconds(1) - (second == 0 ? ms(2) : Duration()));
      out.clear();
      keeper.handle_timer(clock.read(), random, out);
      EXPECT_TRUE(out.sends.empty());
    }
  }
  EXPECT_LE((clock.read().system - clock.truth).abs(), ms(1));
}

}  // namespace
}  // namespace timepool::ntp
