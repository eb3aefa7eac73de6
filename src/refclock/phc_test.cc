// The driver of PTP hardware clocks with a device that is none: it answers the kernel's requests
// with the structures of linux/ptp_clock.h.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <set>
#include <utility>
#include <vector>

#include "refclock/phc_device.h"
#include "sys/clock.h"

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

// TAI less UTC and a bit.
constexpr Duration kAhead = Duration::nanoseconds(37'000'000'250);
const UnixTime kNow = UnixTime::from_seconds(1'790'000'000) + Duration::microseconds(750);

ptp_clock_time at(UnixTime time) {
  ptp_clock_time out{};
  out.sec = time.ns() / 1'000'000'000;
  out.nsec = static_cast<__u32>(time.ns() % 1'000'000'000);
  return out;
}

// What the device can do, what it was told, and what comes in.
struct Bench {
  std::set<unsigned long> abilities;  // the ways to compare clocks; clock_gettime always works
  bool readable = true;               // the clock, at all
  int inputs = 2;
  int pins = 4;
  int refuse_pin = 0;  // errno
  std::deque<ptp_extts_event> events;
  int read_error = 0;        // errno of the next read
  std::size_t short_by = 0;  // octets that the next read lacks

  std::vector<ptp_pin_desc> programmed;
  std::vector<ptp_extts_request> requested;
  unsigned samples_asked = 0;
};

class BenchDevice final : public PhcDevice {
 public:
  explicit BenchDevice(Bench& bench) : bench_(bench) {}

  int fd() const override { return 42; }
  bool control(unsigned long request, void* argument) override {
    switch (request) {
      case PTP_CLOCK_GETCAPS: {
        auto& out = *static_cast<ptp_clock_caps*>(argument);
        out.n_ext_ts = bench_.inputs;
        out.n_pins = bench_.pins;
        return true;
      }
      case PTP_PIN_SETFUNC:
        bench_.programmed.push_back(*static_cast<ptp_pin_desc*>(argument));
        errno = bench_.refuse_pin;
        return bench_.refuse_pin == 0;
      case PTP_EXTTS_REQUEST:
        bench_.requested.push_back(*static_cast<ptp_extts_request*>(argument));
        return true;
      default:
        break;
    }
    errno = EOPNOTSUPP;
    return bench_.abilities.contains(request) && compare(request, argument);
  }
  bool read_clock(timespec& out) override {
    errno = EINVAL;
    const UnixTime now = sys::unix_now() + kAhead;
    out = {static_cast<time_t>(now.ns() / 1'000'000'000), now.ns() % 1'000'000'000};
    return bench_.readable;
  }
  bool has_event() override { return !bench_.events.empty() || bench_.read_error != 0; }
  ssize_t read_event(ptp_extts_event& out) override {
    EXPECT_TRUE(has_event()) << "a read that would wait";
    errno = std::exchange(bench_.read_error, 0);
    if (errno != 0) return -1;
    out = bench_.events.front();
    bench_.events.pop_front();
    return static_cast<ssize_t>(sizeof out - bench_.short_by);
  }

 private:
  bool compare(unsigned long request, void* argument) {
    const ptp_clock_time before = at(kNow - Duration::nanoseconds(100));
    const ptp_clock_time device = at(kNow + kAhead);
    const ptp_clock_time after = at(kNow + Duration::nanoseconds(100));
    if (request == PTP_SYS_OFFSET_PRECISE) {
      auto& out = *static_cast<ptp_sys_offset_precise*>(argument);
      out.device = device;
      out.sys_realtime = at(kNow);
    } else if (request == PTP_SYS_OFFSET_EXTENDED) {
      auto& out = *static_cast<ptp_sys_offset_extended*>(argument);
      bench_.samples_asked = out.n_samples;
      for (unsigned i = 0; i < out.n_samples; ++i) {
        out.ts[i][0] = before;
        out.ts[i][1] = device;
        out.ts[i][2] = after;
      }
    } else {
      auto& out = *static_cast<ptp_sys_offset*>(argument);
      bench_.samples_asked = out.n_samples;
      // In turn, a tenth of a microsecond between.
      for (unsigned i = 0; i <= 2 * out.n_samples; ++i) {
        const Duration since = Duration::nanoseconds(100) * i - Duration::nanoseconds(100);
        out.ts[i] = at(kNow + since + (i % 2 == 1 ? kAhead : Duration()));
      }
    }
    return true;
  }

  Bench& bench_;
};

PhcOptions clock_options() {
  PhcOptions out;
  out.device = "/dev/ptp7";
  out.samples = 5;
  return out;
}

PhcOptions input_options() {
  PhcOptions out = clock_options();
  out.external = true;
  out.channel = 1;
  out.pin = 3;
  return out;
}

class Phc : public ::testing::Test {
 protected:
  Phc() { bench_.abilities = {PTP_SYS_OFFSET_PRECISE}; }

  Result<std::unique_ptr<Driver>> open(const PhcOptions& options) {
    return drive_phc(std::make_unique<BenchDevice>(bench_), options);
  }
  void start(const PhcOptions& options) {
    auto opened = open(options);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    driver_ = std::move(opened).value();
  }
  Look look() {
    Looks looks;
    driver_->poll(looks);
    EXPECT_EQ(looks.size(), 1U);
    return looks[0];
  }
  // A pulse at this time of the device's clock.
  void pulse(UnixTime device, unsigned channel = 1) {
    ptp_extts_event event{};
    event.t = at(device);
    event.index = channel;
    bench_.events.push_back(event);
  }

  Bench bench_;
  std::unique_ptr<Driver> driver_;
};

TEST_F(Phc, compares_the_clocks_by_every_way_that_a_device_may_have) {
  for (const unsigned long way :
       {PTP_SYS_OFFSET_PRECISE, PTP_SYS_OFFSET_EXTENDED, PTP_SYS_OFFSET}) {
    bench_.abilities = {way};
    start(clock_options());
    EXPECT_EQ(driver_->fd(), -1) << "its clock is read by time";
    const Look got = look();
    ASSERT_EQ(got.reason, RefclockReason::kAccepted);
    EXPECT_EQ(got.reading.offset, kAhead);
    EXPECT_LT((got.reading.local - kNow).abs(), Duration::microseconds(1));
    EXPECT_FALSE(got.reading.pulse);
    EXPECT_EQ(bench_.samples_asked, way == PTP_SYS_OFFSET_PRECISE ? 0U : 5U);
  }
  bench_.abilities.clear();
  start(clock_options());
  const Look read = look();
  ASSERT_EQ(read.reason, RefclockReason::kAccepted);
  EXPECT_LT((read.reading.offset - kAhead).abs(), Duration::milliseconds(20));
}

TEST_F(Phc, takes_the_best_way) {
  bench_.abilities = {PTP_SYS_OFFSET, PTP_SYS_OFFSET_EXTENDED, PTP_SYS_OFFSET_PRECISE};
  start(clock_options());
  EXPECT_EQ(look().reading.dispersion, Duration());
  bench_.abilities = {PTP_SYS_OFFSET, PTP_SYS_OFFSET_EXTENDED};
  start(clock_options());
  EXPECT_EQ(look().reading.dispersion, Duration::nanoseconds(100));
}

TEST_F(Phc, a_device_that_nothing_can_be_read_of_is_refused) {
  bench_.abilities.clear();
  bench_.readable = false;
  const auto refused = open(clock_options());
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().text().find("/dev/ptp7"), std::string::npos);
}

TEST_F(Phc, an_input_is_programmed_for_the_pin_the_channel_and_the_edge) {
  start(input_options());
  EXPECT_EQ(driver_->fd(), 42) << "a pulse wakes the program";
  ASSERT_EQ(bench_.programmed.size(), 1U);
  EXPECT_EQ(bench_.programmed[0].index, 3U);
  EXPECT_EQ(bench_.programmed[0].func, static_cast<unsigned>(PTP_PF_EXTTS));
  EXPECT_EQ(bench_.programmed[0].chan, 1U);
  ASSERT_EQ(bench_.requested.size(), 1U);
  EXPECT_EQ(bench_.requested[0].index, 1U);
  EXPECT_EQ(bench_.requested[0].flags, static_cast<unsigned>(PTP_ENABLE_FEATURE | PTP_RISING_EDGE));

  PhcOptions falling = input_options();
  falling.edge = PulseEdge::kClear;
  start(falling);
  EXPECT_EQ(bench_.requested[1].flags,
            static_cast<unsigned>(PTP_ENABLE_FEATURE | PTP_FALLING_EDGE));
}

TEST_F(Phc, an_input_of_a_device_without_programmable_pins_is_only_enabled) {
  bench_.pins = 0;
  start(input_options());
  EXPECT_TRUE(bench_.programmed.empty());
  EXPECT_EQ(bench_.requested.size(), 1U);
}

TEST_F(Phc, an_input_that_the_device_has_not_is_refused) {
  bench_.inputs = 1;
  const auto refused = open(input_options());
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().text().find("has 1 inputs"), std::string::npos)
      << refused.error().text();
  bench_.inputs = 2;
  bench_.refuse_pin = EBUSY;
  const auto busy = open(input_options());
  ASSERT_FALSE(busy.ok());
  EXPECT_NE(busy.error().text().find("pin 3"), std::string::npos) << busy.error().text();
}

TEST_F(Phc, a_pulse_is_put_into_the_system_clocks_time) {
  start(input_options());
  EXPECT_EQ(look().reason, RefclockReason::kNothingNew);
  pulse(kNow + kAhead - Duration::microseconds(30));
  const Look got = look();
  ASSERT_EQ(got.reason, RefclockReason::kAccepted);
  EXPECT_TRUE(got.reading.pulse);
  EXPECT_EQ(got.reading.local, kNow - Duration::microseconds(30));
  EXPECT_EQ(look().reason, RefclockReason::kNothingNew);
}

TEST_F(Phc, pulses_that_wait_are_taken_one_by_one_in_their_order) {
  start(input_options());
  for (int i = 3; i > 0; --i) pulse(kNow + kAhead - Duration::seconds(i));
  for (int i = 3; i > 0; --i) EXPECT_EQ(look().reading.local, kNow - Duration::seconds(i));
  EXPECT_EQ(look().reason, RefclockReason::kNothingNew);
}

TEST_F(Phc, pulses_of_another_channel_are_not_ours) {
  start(input_options());
  pulse(kNow + kAhead, 0);
  pulse(kNow + kAhead, 1);
  EXPECT_EQ(look().reason, RefclockReason::kNothingNew);
  EXPECT_EQ(look().reason, RefclockReason::kAccepted);
}

TEST_F(Phc, a_read_that_fails_ends_the_device_and_an_interrupted_one_does_not) {
  start(input_options());
  for (const int error : {EINTR, EAGAIN}) {
    bench_.read_error = error;
    EXPECT_EQ(look().reason, RefclockReason::kNothingNew);
  }
  bench_.read_error = ENODEV;
  EXPECT_EQ(look().reason, RefclockReason::kDeviceFailed);
  // Less than a whole event is no event, whatever an earlier call left in errno.
  bench_.short_by = 8;
  pulse(kNow + kAhead);
  errno = EAGAIN;
  EXPECT_EQ(look().reason, RefclockReason::kDeviceFailed);
}

TEST_F(Phc, a_pulse_counts_for_nothing_when_the_clocks_can_not_be_compared) {
  start(input_options());
  pulse(kNow + kAhead);
  bench_.abilities.clear();
  EXPECT_EQ(look().reason, RefclockReason::kDeviceFailed);
}

}  // namespace
}  // namespace timepool::refclock
