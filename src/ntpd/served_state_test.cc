#include "ntpd/served_state.h"

#include <gtest/gtest.h>

#include <array>

#include "ntp/server/responder.h"

namespace timepool::ntpd {
namespace {

using wire::ntp::Leap;

const MonoTime kMono = MonoTime::from_ns(42'000'000'000);
const UnixTime kNow = UnixTime::from_seconds(1'795'000'000);

UnixTime utc(std::string_view text) {
  return parse_utc(text).value();
}

ntp::ClockReading at(UnixTime system, Duration since = {}) {
  return {kMono + since, system + since, {}};
}

config::NtpServerConfig local_config() {
  config::NtpServerConfig out;
  config::NtpLocalConfig& local = out.local.emplace();
  local.stratum = 2;
  local.refid = "GPS";
  local.root_dispersion = Duration::milliseconds(3);
  return out;
}

ntp::ServerState kept_state(UnixTime now) {
  ntp::ServerState out;
  out.leap = Leap::kNone;
  out.stratum = 3;
  out.reference_id = wire::ntp::ReferenceId::from_bits(0xc0000201);
  out.root_delay = Duration::milliseconds(20);
  out.root_dispersion = Duration::milliseconds(5);
  out.reference_time = now - Duration::seconds(40);
  out.made = now;
  return out;
}

ntp::LeapKeeper keeper_with_leaps() {
  ntp::LeapKeeper out;
  auto table = ntp::LeapTable::parse(
      "#$ 3676924800\n#@ 3849638400\n3644697600 36\n3692217600 37\n3723753600 36\n");
  EXPECT_TRUE(table.ok());
  out.set_table(std::move(table).value());
  return out;
}

wire::ntp::Header ask(const ntp::ServerState& state, UnixTime received) {
  std::array<std::byte, 48> bytes{};
  bytes[0] = std::byte{0x23};
  bytes[47] = std::byte{1};
  const ntp::RxInfo rx{received, {IpAddress::v4(0x0a000001), 4000, 0}, {}};
  EXPECT_EQ(ntp::respond(rx, bytes, state, bytes).length, 48u);
  EXPECT_EQ(std::to_integer<unsigned>(bytes[0]) & 0x3f, 0x24u);
  ByteReader reader(bytes);
  return wire::ntp::read_header(reader);
}

TEST(ServedState, without_local_and_without_sources_it_says_that_it_does_not_know_the_time) {
  ServedState served(config::NtpServerConfig{}, -20);
  const ntp::ServerState state = served.make(at(kNow), {});
  const wire::ntp::Header reply = ask(state, kNow);
  EXPECT_EQ(reply.leap, Leap::kUnsynchronised);
  EXPECT_EQ(reply.stratum, 0);
  EXPECT_EQ(reply.reference_id.bits(), 0u);
}

TEST(ServedState, local_announces_what_it_says) {
  config::NtpServerConfig config = local_config();
  config.test.offset = Duration::milliseconds(400);
  ServedState served(config, -23);
  const ntp::ServerState state = served.make(at(kNow), {});
  EXPECT_TRUE(state.synchronised());
  EXPECT_EQ(state.stratum, 2);
  EXPECT_EQ(state.precision, -23);
  EXPECT_EQ(wire::ntp::text_of(state.reference_id), "GPS");
  EXPECT_EQ(state.root_dispersion, Duration::milliseconds(3));
  EXPECT_EQ(state.reference_time, kNow);
  EXPECT_EQ(state.test_offset, Duration::milliseconds(400));
}

TEST(ServedState, the_clock_that_the_client_half_keeps_is_better_than_local) {
  ServedState served(local_config(), -20);
  EXPECT_EQ(served.make(at(kNow), {kept_state(kNow), {}, nullptr}).stratum, 3);
  EXPECT_EQ(served.make(at(kNow), {}).stratum, 2);
}

TEST(ServedState, B13_the_leap_is_announced_on_the_last_day_of_the_month_only) {
  const struct {
    const char* when;
    Leap leap;
  } kDays[] = {
      {"2016-12-01T00:00:00Z", Leap::kNone},       {"2016-12-30T23:59:59.999Z", Leap::kNone},
      {"2016-12-31T00:00:00Z", Leap::kInsert},     {"2016-12-31T23:59:59.999Z", Leap::kInsert},
      {"2017-01-01T00:00:00Z", Leap::kNone},       {"2017-06-30T12:00:00Z", Leap::kNone},
      {"2017-12-30T23:59:59.999Z", Leap::kNone},   {"2017-12-31T00:00:00Z", Leap::kDelete},
      {"2017-12-31T23:59:58.999Z", Leap::kDelete}, {"2018-01-01T00:00:00Z", Leap::kNone},
  };
  const ntp::LeapKeeper leaps = keeper_with_leaps();
  ServedState served(local_config(), -20);
  for (const auto& it : kDays) {
    const UnixTime now = utc(it.when);
    EXPECT_EQ(ask(served.make(at(now), {{}, {}, &leaps}), now).leap, it.leap) << it.when;
  }
}

TEST(ServedState, B13_the_state_is_made_anew_at_midnight) {
  ServedState served(local_config(), -20);
  EXPECT_EQ(served.good_for(utc("2016-12-30T23:59:55Z")), Duration::seconds(5));
  EXPECT_EQ(served.good_for(utc("2016-12-30T12:00:00Z")), Duration::seconds(16));
}

TEST(ServedState, B13_whoever_does_not_know_the_time_announces_no_leap) {
  const ntp::LeapKeeper leaps = keeper_with_leaps();
  ServedState served(config::NtpServerConfig{}, -20);
  const UnixTime now = utc("2016-12-31T12:00:00Z");
  EXPECT_EQ(ask(served.make(at(now), {{}, {}, &leaps}), now).leap, Leap::kUnsynchronised);
}

TEST(ServedState, while_the_sources_are_silent_the_error_grows_until_it_is_too_much) {
  ServedState served(config::NtpServerConfig{}, -20);
  ntp::ServerState kept = kept_state(kNow);
  kept.root_dispersion = Duration::milliseconds(980);
  EXPECT_TRUE(served.make(at(kNow), {kept, {}, nullptr}).synchronised());
  kept.root_dispersion = Duration::milliseconds(991);
  const ntp::ServerState state = served.make(at(kNow), {kept, {}, nullptr});
  EXPECT_EQ(ask(state, kNow).leap, Leap::kUnsynchronised);
  EXPECT_EQ(ask(state, kNow).stratum, 0);
}

TEST(ServedState, a_state_that_nobody_made_anew_is_not_served_as_good_for_long) {
  ServedState served(local_config(), -20);
  const ntp::ServerState state = served.make(at(kNow), {});
  for (const std::int64_t age : {-600, 0, 600}) {
    const wire::ntp::Header reply = ask(state, kNow + Duration::seconds(age));
    EXPECT_EQ(reply.leap, Leap::kNone) << age;
    EXPECT_EQ(reply.stratum, 2) << age;
  }
  // The main loop hangs, or somebody moved the clock.
  for (const std::int64_t age : {-601, 601, 86'400}) {
    const wire::ntp::Header reply = ask(state, kNow + Duration::seconds(age));
    EXPECT_EQ(reply.leap, Leap::kUnsynchronised) << age;
    EXPECT_EQ(reply.stratum, 0) << age;
  }
}

TEST(ServedState, the_dispersion_grows_while_the_state_gets_old) {
  ServedState served(local_config(), -20);
  const ntp::ServerState state = served.make(at(kNow), {});
  const auto dispersion = [&](std::int64_t age) {
    return to_duration(ask(state, kNow + Duration::seconds(age)).root_dispersion);
  };
  EXPECT_GE(dispersion(0), Duration::milliseconds(3));
  EXPECT_GE(dispersion(400), Duration::milliseconds(9)) << "15 us/s";
}

TEST(ServedState, B23_whom_it_follows_is_told_nobody_when_that_is_asked_for) {
  config::NtpServerConfig config;
  ServedState open(config, -20);
  EXPECT_EQ(ask(open.make(at(kNow), {kept_state(kNow), {}, nullptr}), kNow).reference_id.bits(),
            0xc0000201u);
  config.hide_refid = true;
  ServedState hiding(config, -20);
  const ntp::ServerState state = hiding.make(at(kNow), {kept_state(kNow), {}, nullptr});
  const wire::ntp::Header reply = ask(state, kNow);
  EXPECT_EQ(reply.reference_id.bits(), 0x7f7f7f7fu);
  EXPECT_EQ(reply.stratum, 3);
  EXPECT_EQ(state.reference_time.seconds() % 64, 0);
  EXPECT_LE(state.reference_time, kNow);
  EXPECT_GT(state.reference_time, kNow - Duration::seconds(64));
}

class Smearing : public ::testing::Test {
 protected:
  Smearing() {
    config_ = local_config();
    config_.smear.emplace();
  }
  config::NtpServerConfig config_;
  ntp::LeapKeeper leaps_ = keeper_with_leaps();
};

TEST_F(Smearing, B16_no_leap_is_ever_announced) {
  ServedState served(config_, -20);
  for (const char* when : {"2016-12-30T12:00:00Z", "2016-12-31T00:00:00Z", "2016-12-31T12:30:00Z",
                           "2016-12-31T23:59:59.9Z", "2017-01-01T00:00:00Z"}) {
    const UnixTime now = utc(when);
    EXPECT_EQ(ask(served.make(at(now), {{}, {}, &leaps_}), now).leap, Leap::kNone) << when;
  }
}

TEST_F(Smearing, the_reply_says_how_far_from_utc_it_is) {
  ServedState served(config_, -20);
  const UnixTime six = utc("2016-12-31T18:00:00Z");
  const wire::ntp::Header reply = ask(served.make(at(six), {{}, {}, &leaps_}), six);
  // A quarter of a second behind: 21,600 of 86,401 seconds.
  EXPECT_EQ(reply.receive, to_ntp(six - Duration::nanoseconds(249'997'107)));
  EXPECT_NEAR(to_duration(reply.root_dispersion).to_seconds(), 0.253, 0.001);
  EXPECT_EQ(reply.reference_id.bits() >> 24, 254u);
  const auto units = static_cast<std::int32_t>(reply.reference_id.bits() << 8) >> 8;
  EXPECT_NEAR(units / 4194304.0, -0.249997, 1e-6);
  ASSERT_TRUE(served.smeared().has_value());
  EXPECT_EQ(*served.smeared(), -Duration::nanoseconds(249'997'107));
  EXPECT_LE((reply.receive - reply.reference).abs(), Duration::seconds(1));
  EXPECT_GE(reply.receive - reply.reference, Duration());
}

TEST_F(Smearing, on_other_days_nothing_differs) {
  ServedState served(config_, -20);
  const wire::ntp::Header reply = ask(served.make(at(kNow), {{}, {}, &leaps_}), kNow);
  EXPECT_EQ(reply.receive, to_ntp(kNow));
  EXPECT_EQ(wire::ntp::text_of(reply.reference_id), "GPS");
  EXPECT_FALSE(served.smeared().has_value());
}

TEST_F(Smearing, the_cosine_is_drawn_anew_in_time) {
  config_.smear->shape = config::NtpSmearShape::kCosine;
  config_.smear->window = Duration::seconds(3600);
  ServedState served(config_, -20);
  const UnixTime now = utc("2016-12-31T23:50:00Z");
  served.make(at(now), {{}, {}, &leaps_});
  EXPECT_LT(served.good_for(now), Duration::milliseconds(730));
  const UnixTime later = utc("2017-01-01T01:00:00Z");
  served.make(at(later), {{}, {}, &leaps_});
  EXPECT_EQ(served.good_for(later), Duration::seconds(16));
}

TEST(OrphanStratum, is_that_of_local_when_it_is_an_orphans) {
  EXPECT_EQ(orphan_stratum({}), 16);
  config::NtpServerConfig config = local_config();
  EXPECT_EQ(orphan_stratum(config), 16);
  config.local->orphan = true;
  EXPECT_EQ(orphan_stratum(config), 2);
}

}  // namespace
}  // namespace timepool::ntpd
