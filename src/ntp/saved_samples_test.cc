#include "ntp/saved_samples.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"
#include "base/siphash.h"

namespace timepool::ntp {
namespace {

// 2026-11-21 12:00: the middle of a month.
const UnixTime kStart = UnixTime::from_seconds(1'795'262'400);
const BootId kBoot{std::byte{1}, std::byte{2}};

Sample sample_at(Duration ago, Duration offset) {
  Sample out;
  out.at.raw = kStart - ago;
  out.offset = offset;
  out.delay = Duration::microseconds(1500);
  out.dispersion = Duration::microseconds(3);
  out.response = Duration::microseconds(20);
  out.interleaved = true;
  out.sent_by = StampSource::kKernel;
  out.received_by = StampSource::kHardware;
  out.leap = wire::ntp::Leap::kInsert;
  out.version = 4;
  out.stratum = 2;
  out.poll = -3;
  out.precision = -23;
  out.reference_id = wire::ntp::ReferenceId::from_bits(0xc0000201);
  out.reference_time = NtpTimestamp::from_bits(0xe1234567'89abcdefULL);
  out.root_delay = Duration::milliseconds(7);
  out.root_dispersion = Duration::milliseconds(2);
  return out;
}

SavedSamples some() {
  SavedSamples out;
  out.at = {kBoot, MonoTime::from_ns(500'000'000'000), kStart, kStart + Duration::milliseconds(3),
            Duration::seconds(2)};
  SampleWindow v4{{IpAddress::v4(0xc0000201), 123, 0}, false, "", {}};
  for (int i = 3; i > 0; --i) {
    v4.samples.push_back(sample_at(Duration::seconds(64 * i), Duration::microseconds(-7 * i)));
  }
  SampleWindow v6 = v4;
  v6.server.address = *parse_ip("2001:db8::1");
  v6.server.port = 4123;
  v6.authenticated = true;
  SampleWindow clock;
  clock.refclock = "gps";
  clock.samples = {sample_at(Duration::seconds(16), Duration::nanoseconds(-1))};
  out.windows = {v4, v6, clock};
  return out;
}

// With the check sum made right again.
std::vector<std::byte> sealed(std::vector<std::byte> bytes) {
  const std::uint64_t hash = siphash24({}, Bytes(bytes).first(bytes.size() - 8));
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[bytes.size() - 8 + i] = static_cast<std::byte>(hash >> (56 - 8 * i));
  }
  return bytes;
}

SavedFault fault_of(Bytes bytes) {
  const auto parsed = parse_samples(bytes);
  EXPECT_FALSE(parsed.ok());
  return parsed.ok() ? SavedFault::kForeign : parsed.error();
}

RunMoment later(const RunMoment& at, Duration by) {
  RunMoment out = at;
  out.oscillator = at.oscillator + by;
  // The new run's raw time begins elsewhere.
  out.raw = at.raw + by + Duration::milliseconds(40);
  out.system = at.system + by;
  return out;
}

TEST(SavedSamples, are_read_as_they_were_written) {
  const SavedSamples saved = some();
  const auto bytes = format_samples(saved);
  const auto parsed = parse_samples(bytes);
  ASSERT_TRUE(parsed.ok()) << name_of(parsed.error());
  EXPECT_EQ(parsed->at, saved.at);
  ASSERT_EQ(parsed->windows.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(same_identity(parsed->windows[i], saved.windows[i]));
    EXPECT_EQ(parsed->windows[i].samples.size(), saved.windows[i].samples.size());
  }
  const Sample& read = parsed->windows[0].samples[1];
  const Sample& written = saved.windows[0].samples[1];
  EXPECT_EQ(read.at.raw, written.at.raw);
  EXPECT_EQ(read.offset, written.offset);
  EXPECT_EQ(read.root_distance(), written.root_distance());
  EXPECT_EQ(read.received_by, written.received_by);
  EXPECT_EQ(read.reference_time, written.reference_time);
  EXPECT_EQ(read.poll, written.poll);
  EXPECT_EQ(format_samples(*parsed), bytes);
}

TEST(SavedSamples, an_octet_that_changed_anywhere_is_noticed) {
  const auto bytes = format_samples(some());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= std::byte{0x10};
    EXPECT_FALSE(parse_samples(damaged).ok()) << i;
  }
}

TEST(SavedSamples, a_file_that_ends_early_is_no_file) {
  const auto bytes = format_samples(some());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_samples(Bytes(bytes).first(size)).ok()) << size;
    auto cut = std::vector(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    if (size < 14) continue;
    EXPECT_FALSE(parse_samples(sealed(std::move(cut))).ok()) << size;
  }
}

TEST(SavedSamples, each_fault_has_its_name) {
  const auto bytes = format_samples(some());
  EXPECT_EQ(fault_of({}), SavedFault::kForeign);
  auto it = bytes;
  it[5] = std::byte{2};
  EXPECT_EQ(fault_of(it), SavedFault::kVersion);
  it = bytes;
  it.back() ^= std::byte{1};
  EXPECT_EQ(fault_of(it), SavedFault::kDamaged);
  it = bytes;
  it.insert(it.end() - 8, std::byte{0});
  EXPECT_EQ(fault_of(sealed(it)), SavedFault::kCut);
  // Offsets by the layout: 54 the number of windows, 56 the first's kind, 65 its number of samples,
  // 67 the first sample, whose stratum is 45 on.
  it = bytes;
  it[54] = std::byte{0xff};
  EXPECT_EQ(fault_of(sealed(it)), SavedFault::kTooMany);
  it = bytes;
  it[56] = std::byte{9};
  EXPECT_EQ(fault_of(sealed(it)), SavedFault::kSource);
  it = bytes;
  it[65] = std::byte{0};
  it[66] = std::byte{0};
  EXPECT_EQ(fault_of(sealed(it)), SavedFault::kTooMany);
  it = bytes;
  it[67 + 45] = std::byte{16};
  EXPECT_EQ(fault_of(sealed(it)), SavedFault::kSample);
  it = bytes;
  it[67] = std::byte{0x7f};
  EXPECT_EQ(fault_of(sealed(it)), SavedFault::kTime);
}

TEST(SavedSamples, no_more_than_can_be_read_is_written) {
  SavedSamples saved = some();
  saved.windows.resize(kMaxWindows + 20, saved.windows[0]);
  saved.windows[1].samples[0].stratum = 200;
  for (auto& window : saved.windows) window.samples.resize(kMaxSamples, window.samples[0]);
  saved.windows[2].refclock = std::string(300, 'x');
  const auto bytes = format_samples(saved);
  EXPECT_LE(bytes.size(), kMaxSavedBytes);
  const auto parsed = parse_samples(bytes);
  ASSERT_TRUE(parsed.ok()) << name_of(parsed.error());
  EXPECT_EQ(parsed->windows.size(), kMaxWindows);
  EXPECT_LT(parsed->windows[1].samples.size(), kMaxSamples) << "a stratum that no sample has";
}

TEST(SavedSamples, move_to_the_raw_time_of_the_next_run) {
  SavedSamples saved = some();
  const SavedSamples before = saved;
  const RunMoment now = later(saved.at, Duration::seconds(100));
  const MonoTime mono = MonoTime::from_ns(900'000'000'000);
  ASSERT_TRUE(carry_over(saved, now, mono).ok());
  const Sample& was = before.windows[0].samples[0];
  const Sample& is = saved.windows[0].samples[0];
  // The true time that it stands for is the same, and so is its age.
  EXPECT_EQ(is.at.raw + is.offset, was.at.raw + was.offset);
  EXPECT_EQ(now.raw - is.at.raw, Duration::seconds(100) + (before.at.raw - was.at.raw));
  EXPECT_EQ(mono - is.at.mono, now.raw - is.at.raw);
  // What the relation may be wrong by is part of the bound.
  EXPECT_EQ(is.dispersion - was.dispersion, Duration::microseconds(11));
}

TEST(SavedSamples, are_not_used_when_nothing_tells_how_much_time_has_passed) {
  const auto why = [](const RunMoment& now) {
    SavedSamples saved = some();
    const auto moved = carry_over(saved, now, MonoTime::from_ns(1));
    return moved.ok() ? "used" : std::string(name_of(moved.error()));
  };
  const RunMoment at = some().at;
  const RunMoment good = later(at, Duration::seconds(10));
  EXPECT_EQ(why(good), "used");
  RunMoment now = good;
  now.boot[15] = std::byte{1};
  EXPECT_EQ(why(now), name_of(StaleSamples::kOtherBoot));
  now = good;
  now.boot = {};
  EXPECT_EQ(why(now), name_of(StaleSamples::kNoOscillator));
  now = good;
  now.oscillator = MonoTime();
  EXPECT_EQ(why(now), name_of(StaleSamples::kNoOscillator));
  now = good;
  now.oscillator = at.oscillator - Duration::seconds(1);
  EXPECT_EQ(why(now), name_of(StaleSamples::kOtherBoot));
  now = good;
  now.suspended += Duration::seconds(1);
  EXPECT_EQ(why(now), name_of(StaleSamples::kSuspended));
  now = good;
  now.system = now.system - Duration::seconds(5);
  EXPECT_EQ(why(now), name_of(StaleSamples::kClockSet));
  EXPECT_EQ(why(later(at, kMaxPause)), "used");
  EXPECT_EQ(why(later(at, kMaxPause + Duration::seconds(1))), name_of(StaleSamples::kPause));
}

TEST(SavedSamples, are_not_used_across_the_end_of_a_month) {
  const UnixTime december = *parse_utc("2026-12-01T00:00:00Z");
  for (const std::int64_t minutes : {-61, -30, 0, 30, 59, 70}) {
    SavedSamples saved = some();
    saved.at.system = december + Duration::seconds(60 * minutes);
    const bool used =
        carry_over(saved, later(saved.at, Duration::seconds(5)), MonoTime::from_ns(1)).ok();
    EXPECT_EQ(used, minutes == -61 || minutes == 70) << minutes;
  }
}

}  // namespace
}  // namespace timepool::ntp
