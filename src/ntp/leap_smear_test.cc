#include "ntp/leap_smear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "ntp/leap.h"

namespace timepool::ntp {
namespace {

const MonoTime kMono = MonoTime::from_ns(123'456'789);
const Duration kLimit = Duration::nanoseconds(100);
const Duration kDay = Duration::seconds(86'400);

// A second is inserted before 2017, one left out before 2018.
LeapTable table() {
  auto out = LeapTable::parse(
      "#$ 3676924800\n#@ 3849638400\n3644697600 36\n3692217600 37\n3723753600 36\n");
  EXPECT_TRUE(out.ok());
  return std::move(out).value();
}
const UnixTime kInserted = parse_utc("2017-01-01T00:00:00Z").value();
const UnixTime kDeleted = parse_utc("2018-01-01T00:00:00Z").value();

// What clients are to be told, `line` being UTC but for the leap.
UnixTime truth(const LeapSmearConfig& config, const LeapSecond& leap, UnixTime line) {
  const long double length = static_cast<long double>(config.window.ns()) + leap.seconds * 1e9L;
  const UnixTime begin = leap.at - config.window / 2;
  long double part = static_cast<long double>((line - begin).ns()) / length;
  part = part < 0 ? 0 : part > 1 ? 1 : part;
  if (config.shape == SmearShape::kCosine) {
    part = (1 - std::cos(std::numbers::pi_v<long double> * part)) / 2;
  }
  return line - Duration::nanoseconds(std::llround(part * leap.seconds * 1e9L));
}

// A server's clocks on a line of time without leaps.
class Server {
 public:
  enum class How { kStepped, kSlewed };
  Server(const LeapSmearConfig& config, const LeapSecond& leap, How how)
      : config_(config), leap_(leap), how_(how), smear_(config) {}

  // As if slewed by a twelfth for twelve seconds.
  static constexpr double kSlew = 1.0 / 12;
  bool passed(UnixTime line) const { return line >= moment_of(leap_); }
  Duration slewed(UnixTime line) const {
    if (how_ != How::kSlewed || !passed(line)) return {};
    const double seconds = std::min(1.0, kSlew * (line - moment_of(leap_)).to_seconds());
    return Duration::from_seconds(-leap_.seconds * seconds);
  }
  ClockReading read(UnixTime line) const {
    const bool step = how_ == How::kStepped && passed(line);
    return {kMono + (line - kInserted) + slewed(line) + kDay * 1000,
            line + slewed(line) + (step ? step_of(leap_) : Duration()),
            {}};
  }
  LeapKnowledge knowledge(UnixTime line) const {
    LeapKnowledge out;
    out.table = &table_;
    if (!passed(line)) return out;
    out.applied = leap_;
    const Duration remaining = how_ == How::kSlewed ? step_of(leap_) - slewed(line) : Duration();
    if (remaining.abs() < Duration::nanoseconds(3)) return out;
    const double rate = leap_.seconds * kSlew;
    out.backlog = {remaining, rate / (1 - rate)};
    return out;
  }
  void refresh(UnixTime line) { shift_ = smear_.shift(read(line), knowledge(line)); }
  UnixTime served(UnixTime line) {
    const ClockReading now = read(line);
    if (shift_.may_step()) worker_.look(shift_, now.system, now.mono);
    return worker_.sent(shift_, now.system);
  }
  Duration error(UnixTime line) { return served(line) - truth(config_, leap_, line); }
  LeapSmear& smear() { return smear_; }
  const ServedShift& shift() const { return shift_; }

 private:
  LeapSmearConfig config_;
  LeapSecond leap_;
  How how_;
  LeapSmear smear_;
  LeapTable table_ = table();
  ServedShift shift_;
  ServedTime worker_;
};

// Over the window and an hour at both sides; refreshed when it must be, or `late` after that.
Duration worst_error(const LeapSmearConfig& config, const LeapSecond& leap, Server::How how,
                     double late = 0) {
  Server server(config, leap, how);
  const Duration step = server.smear().interval();
  const Duration pause = step + Duration::from_seconds(step.to_seconds() * late);
  const UnixTime end = leap.at + config.window / 2 + Duration::seconds(3600);
  Duration worst;
  for (UnixTime line = leap.at - config.window / 2 - Duration::seconds(3600); line < end;) {
    server.refresh(line);
    UnixTime next = line + pause;
    // The timers of a slew wake whoever serves.
    for (const UnixTime event : {moment_of(leap), moment_of(leap) + Duration::seconds(12)}) {
      if (how == Server::How::kSlewed && line < event) next = std::min(next, event);
    }
    for (const double part : {0.0, 0.1, 0.37, 0.5, 0.73, 0.999}) {
      const UnixTime when = line + Duration::from_seconds(part * (next - line).to_seconds());
      worst = std::max(worst, server.error(when).abs());
    }
    line = next;
  }
  return worst;
}

struct Case {
  SmearShape shape;
  Duration window;
  LeapSecond leap;
};

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const SmearShape shape : {SmearShape::kLinear, SmearShape::kCosine}) {
    for (const Duration window : {kMinSmearWindow, kDay, kMaxSmearWindow}) {
      out.push_back({shape, window, {kInserted, 1}});
      out.push_back({shape, window, {kDeleted, -1}});
    }
  }
  return out;
}

TEST(LeapSmear, is_right_to_100_ns_between_refreshes_in_every_window) {
  for (const Case& it : cases()) {
    const Duration worst = worst_error({it.shape, it.window}, it.leap, Server::How::kStepped);
    EXPECT_LE(worst, kLimit) << static_cast<int>(it.shape) << " " << format(it.window);
  }
}

TEST(LeapSmear, is_right_to_100_ns_when_refreshes_come_half_an_interval_late) {
  for (const Case& it : cases()) {
    const Duration worst = worst_error({it.shape, it.window}, it.leap, Server::How::kStepped, 0.5);
    EXPECT_LE(worst, kLimit) << static_cast<int>(it.shape) << " " << format(it.window);
  }
}

TEST(LeapSmear, is_right_to_100_ns_while_the_clock_slews_the_second_away) {
  for (const Case& it : cases()) {
    const Duration worst = worst_error({it.shape, it.window}, it.leap, Server::How::kSlewed);
    EXPECT_LE(worst, kLimit) << static_cast<int>(it.shape) << " " << format(it.window);
  }
}

TEST(LeapSmear, the_second_that_is_read_twice_is_served_once) {
  Server server({}, {kInserted, 1}, Server::How::kStepped);
  UnixTime last = UnixTime();
  for (int i = -3000; i <= 3000; ++i) {
    const UnixTime line = kInserted + Duration::milliseconds(i);
    // The main loop looks now and then, before, within and after that second.
    if (i % 700 == 0) server.refresh(line);
    if (i == -3000) server.refresh(line);
    EXPECT_LE(server.error(line).abs(), kLimit) << i;
    EXPECT_GT(server.served(line), last) << i;
    last = server.served(line);
  }
}

TEST(LeapSmear, noon_to_noon_lasts_86401_seconds_and_ends_at_utc) {
  Server server({}, {kInserted, 1}, Server::How::kStepped);
  const UnixTime noon = kInserted - kDay / 2;
  server.refresh(noon - Duration::seconds(1));
  EXPECT_EQ(server.served(noon), noon);
  server.refresh(noon + Duration::seconds(864));
  EXPECT_EQ(server.served(noon + Duration::seconds(864)),
            noon + Duration::seconds(864) - Duration::nanoseconds(9'999'884));
  // 86,401 seconds later it is noon again, by UTC and by what is served.
  const UnixTime line = noon + kDay + Duration::seconds(1);
  server.refresh(line - Duration::seconds(1));
  server.refresh(line);
  EXPECT_EQ(server.read(line).system, noon + kDay);
  EXPECT_EQ(server.served(line), noon + kDay);
  server.refresh(line + Duration::seconds(16));
  EXPECT_TRUE(server.shift().none());
}

TEST(LeapSmear, the_departure_from_utc_is_half_a_second_at_the_leap_and_changes_its_sign) {
  Server server({}, {kInserted, 1}, Server::How::kStepped);
  server.refresh(kInserted - Duration::milliseconds(1));
  EXPECT_NEAR(server.smear().departure()->to_seconds(), -0.5, 1e-4);
  server.refresh(kInserted + Duration::milliseconds(1));
  EXPECT_NEAR(server.smear().departure()->to_seconds(), 0.5, 1e-4);
  server.refresh(kInserted + kDay);
  EXPECT_FALSE(server.smear().departure());
}

TEST(LeapSmear, a_server_that_starts_after_the_leap_goes_on_with_the_smear) {
  Server server({}, {kInserted, 1}, Server::How::kStepped);
  const UnixTime line = kInserted + Duration::seconds(7200);
  server.refresh(line);
  EXPECT_LE(server.error(line).abs(), kLimit);
  EXPECT_NEAR(server.smear().departure()->to_seconds(), 0.5 - 7200.0 / 86401, 1e-4);
}

TEST(LeapSmear, without_a_leap_in_the_file_nothing_is_smeared) {
  LeapSmear smear(LeapSmearConfig{});
  const LeapTable known = table();
  const ClockReading now{kMono, kInserted - kDay * 30, {}};
  EXPECT_TRUE(smear.shift(now, {&known, {}, {}}).none());
  EXPECT_TRUE(smear.shift({kMono, kInserted, {}}, {}).none());
  EXPECT_FALSE(smear.departure());
}

TEST(LeapSmear, a_step_by_somebody_on_that_day_is_not_taken_for_the_leap) {
  Server server({}, {kInserted, 1}, Server::How::kStepped);
  const LeapTable known = table();
  const UnixTime before = kInserted - Duration::seconds(3600);
  server.refresh(before);
  ClockReading now = server.read(before + Duration::seconds(1));
  now.system = now.system - Duration::seconds(1);
  const ServedShift shift = server.smear().shift(now, {&known, {}, {}});
  EXPECT_NEAR(shift.at(now.system).to_seconds(), -0.4583, 1e-3) << "it follows the system clock";
}

TEST(LeapSmear, the_reference_id_is_as_ntpds) {
  EXPECT_EQ(smear_reference_id(Duration()).bits(), 0xfe000000u);
  EXPECT_EQ(smear_reference_id(Duration::milliseconds(-250)).bits(), 0xfef00000u);
  EXPECT_EQ(smear_reference_id(Duration::milliseconds(-500)).bits(), 0xfee00000u);
  EXPECT_EQ(smear_reference_id(Duration::milliseconds(500)).bits(), 0xfe200000u);
  EXPECT_EQ(smear_reference_id(Duration::nanoseconds(-238)).bits(), 0xfeffffffu);
  EXPECT_EQ(smear_reference_id(Duration::milliseconds(-2000)).bits(), 0xfe800000u);
}

}  // namespace
}  // namespace timepool::ntp
