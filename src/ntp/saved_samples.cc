#include "ntp/saved_samples.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/byte_writer.h"
#include "base/check.h"
#include "base/civil.h"
#include "base/siphash.h"
#include "ntp/four_times.h"

namespace timepool::ntp {
namespace {

constexpr std::string_view kMagic = "TPSS";
constexpr std::uint16_t kFormatVersion = 1;
constexpr std::size_t kHashSize = 8;
// The longest that a sample's delay, dispersions and server's part are: the range of NtpShort.
constexpr Duration kMaxSpan = Duration::seconds(65'536);
// Times and offsets: the years 1823 to 2116, with room for their differences.
constexpr std::int64_t kMaxTime = INT64_MAX / 2;
constexpr Duration kFutureTolerance = Duration::seconds(1);

// Two clocks read one after the other, twice.
constexpr Duration kReadingError = Duration::microseconds(10);
// In parts in 10^9: the kernel applies a rate to whole cycles of its timer.
constexpr std::int64_t kRelationError = 10;
// Suspended time is the difference of two clocks read one after the other.
constexpr Duration kLeastSuspend = Duration::milliseconds(10);
// How far the system clock may run from the oscillator: the fastest slew, and a little for steps
// that are no error.
constexpr std::int64_t kMostSlew = 100'000'000;
constexpr Duration kLeastSet = Duration::seconds(1);
// UTC is known no better than the system clock, which may be off.
constexpr Duration kMonthMargin = Duration::seconds(3600);

void write_i64(std::int64_t value, ByteWriter& out) {
  out.u64(static_cast<std::uint64_t>(value));
}

std::int64_t read_i64(ByteReader& in) {
  return static_cast<std::int64_t>(in.u64());
}

Duration read_span(ByteReader& in) {
  return Duration::nanoseconds(read_i64(in));
}

void write_sample(const Sample& sample, ByteWriter& out) {
  write_i64(sample.at.raw.ns(), out);
  write_i64(sample.offset.ns(), out);
  write_i64(sample.delay.ns(), out);
  write_i64(sample.dispersion.ns(), out);
  write_i64(sample.response.ns(), out);
  out.u8(sample.interleaved ? 1 : 0);
  out.u8(static_cast<std::uint8_t>(sample.sent_by));
  out.u8(static_cast<std::uint8_t>(sample.received_by));
  out.u8(static_cast<std::uint8_t>(sample.leap));
  out.u8(sample.version);
  out.u8(sample.stratum);
  out.u8(static_cast<std::uint8_t>(sample.poll));
  out.u8(static_cast<std::uint8_t>(sample.precision));
  out.u32(sample.reference_id.bits());
  out.u64(sample.reference_time.bits());
  write_i64(sample.root_delay.ns(), out);
  write_i64(sample.root_dispersion.ns(), out);
}

bool is_stamp_source(std::uint8_t value) {
  return value <= static_cast<std::uint8_t>(StampSource::kHardware);
}

bool is_span(Duration span) {
  return span >= Duration() && span <= kMaxSpan;
}

bool is_offset(Duration offset) {
  return offset.ns() >= -kMaxTime && offset.ns() <= kMaxTime;
}

// A server that leaves no time says so by leap 3 or a stratum past the last: it makes no sample.
bool is_sample(const Sample& it) {
  return it.leap != wire::ntp::Leap::kUnsynchronised && it.version >= 1 &&
         it.version <= wire::ntp::kMaxVersion && it.stratum < wire::ntp::kMaxStratum &&
         is_offset(it.offset) && is_span(it.delay) && is_span(it.dispersion) &&
         is_span(it.response) && is_span(it.root_delay) && is_span(it.root_dispersion);
}

bool is_of_window(const Sample& sample, UnixTime raw) {
  const Duration age = raw - sample.at.raw;
  return age >= -kFutureTolerance && age <= kMaxWindowAge;
}

// Fails the reader on a value that no sample has.
Sample read_sample(ByteReader& in) {
  Sample out;
  out.at.raw = UnixTime::from_ns(read_i64(in));
  out.offset = read_span(in);
  out.delay = read_span(in);
  out.dispersion = read_span(in);
  out.response = read_span(in);
  const std::uint8_t interleaved = in.u8();
  const std::uint8_t sent_by = in.u8();
  const std::uint8_t received_by = in.u8();
  const std::uint8_t leap = in.u8();
  out.version = in.u8();
  out.stratum = in.u8();
  out.poll = static_cast<std::int8_t>(in.u8());
  out.precision = static_cast<std::int8_t>(in.u8());
  out.reference_id = wire::ntp::ReferenceId::from_bits(in.u32());
  out.reference_time = NtpTimestamp::from_bits(in.u64());
  out.root_delay = read_span(in);
  out.root_dispersion = read_span(in);
  out.interleaved = interleaved == 1;
  out.sent_by = static_cast<StampSource>(sent_by);
  out.received_by = static_cast<StampSource>(received_by);
  out.leap = static_cast<wire::ntp::Leap>(leap & 3);
  if (interleaved > 1 || leap > 3 || !is_stamp_source(sent_by) || !is_stamp_source(received_by) ||
      !is_sample(out)) {
    in.fail();
  }
  return out;
}

void write_identity(const SampleWindow& window, ByteWriter& out) {
  const bool refclock = !window.refclock.empty();
  out.u8(refclock ? 1 : 0);
  if (refclock) {
    out.u8(static_cast<std::uint8_t>(window.refclock.size()));
    out.text(window.refclock);
    return;
  }
  out.u8(static_cast<std::uint8_t>(window.server.address.family()));
  out.bytes(window.server.address.bytes());
  out.u16(window.server.port);
  out.u8(window.authenticated ? 1 : 0);
}

// Fails the reader on what names no source.
void read_identity(ByteReader& in, SampleWindow& out) {
  const std::uint8_t kind = in.u8();
  if (kind == 1) {
    const Bytes name = in.bytes(in.u8());
    out.refclock.assign(reinterpret_cast<const char*>(name.data()), name.size());
    if (out.refclock.empty()) in.fail();
    return;
  }
  const std::uint8_t family = in.u8();
  if (kind != 0 || (family != 4 && family != 6)) return in.fail();
  const Bytes address = in.bytes(family == 4 ? 4 : 16);
  if (!in.ok()) return;
  out.server.address = IpAddress::from_bytes(address);
  out.server.port = in.u16();
  const std::uint8_t authenticated = in.u8();
  if (authenticated > 1 || out.server.port == 0) in.fail();
  out.authenticated = authenticated == 1;
}

std::optional<SavedFault> read_window(ByteReader& in, UnixTime raw, SampleWindow& out) {
  const auto fault = [&](SavedFault otherwise) {
    return in.remaining() == 0 ? SavedFault::kCut : otherwise;
  };
  read_identity(in, out);
  if (!in.ok()) return fault(SavedFault::kSource);
  const std::size_t count = in.u16();
  if (count == 0 || count > kMaxSamples) return fault(SavedFault::kTooMany);
  out.samples.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    out.samples.push_back(read_sample(in));
    if (!in.ok()) return fault(SavedFault::kSample);
    if (!is_of_window(out.samples.back(), raw)) return SavedFault::kTime;
  }
  return std::nullopt;
}

std::uint64_t hash_of(Bytes bytes) {
  return siphash24({}, bytes);
}

RunMoment read_moment(ByteReader& in) {
  RunMoment out;
  in.copy(out.boot);
  out.oscillator = MonoTime::from_ns(read_i64(in));
  out.raw = UnixTime::from_ns(read_i64(in));
  out.system = UnixTime::from_ns(read_i64(in));
  out.suspended = read_span(in);
  return out;
}

bool is_moment(const RunMoment& at) {
  const auto in_range = [](std::int64_t ns) { return ns >= -kMaxTime && ns <= kMaxTime; };
  return in_range(at.oscillator.ns()) && in_range(at.raw.ns()) && in_range(at.system.ns()) &&
         in_range(at.suspended.ns());
}

bool month_begins_between(UnixTime from, UnixTime until) {
  for (std::int64_t day = day_of(from) + 1; day <= day_of(until); ++day) {
    if (begins_month(day)) return true;
  }
  return false;
}

std::optional<StaleSamples> stale(const RunMoment& saved, const RunMoment& now) {
  if (saved.boot == BootId{} || now.boot == BootId{} || saved.oscillator == MonoTime() ||
      now.oscillator == MonoTime()) {
    return StaleSamples::kNoOscillator;
  }
  if (saved.boot != now.boot || now.oscillator < saved.oscillator) return StaleSamples::kOtherBoot;
  if ((now.suspended - saved.suspended).abs() > kLeastSuspend) return StaleSamples::kSuspended;
  const Duration pause = now.oscillator - saved.oscillator;
  if (pause > kMaxPause) return StaleSamples::kPause;
  const Duration apart = (now.system - saved.system) - pause;
  if (apart.abs() > kLeastSet + drift_over(pause, kMostSlew)) return StaleSamples::kClockSet;
  // The pause is short: at most a few days are looked at.
  if (month_begins_between(saved.system - kMonthMargin, now.system + kMonthMargin)) {
    return StaleSamples::kNewMonth;
  }
  return std::nullopt;
}

}  // namespace

bool same_identity(const SampleWindow& a, const SampleWindow& b) {
  return a.refclock == b.refclock && a.authenticated == b.authenticated &&
         a.server.address == b.server.address && a.server.port == b.server.port;
}

std::vector<std::byte> format_samples(const SavedSamples& saved) {
  std::vector<SampleWindow> windows;
  for (const SampleWindow& window : saved.windows) {
    if (windows.size() >= kMaxWindows || window.refclock.size() > kMaxWindowName) continue;
    SampleWindow kept = window;
    std::erase_if(kept.samples, [&](const Sample& sample) {
      return !is_sample(sample) || !is_of_window(sample, saved.at.raw);
    });
    const std::size_t count = kept.samples.size();
    if (count >= 1 && count <= kMaxSamples) windows.push_back(std::move(kept));
  }
  std::vector<std::byte> buffer(kMaxSavedBytes);
  ByteWriter out(buffer);
  out.text(kMagic);
  out.u16(kFormatVersion);
  out.bytes(saved.at.boot);
  write_i64(saved.at.oscillator.ns(), out);
  write_i64(saved.at.raw.ns(), out);
  write_i64(saved.at.system.ns(), out);
  write_i64(saved.at.suspended.ns(), out);
  out.u16(static_cast<std::uint16_t>(windows.size()));
  for (const SampleWindow& window : windows) {
    write_identity(window, out);
    out.u16(static_cast<std::uint16_t>(window.samples.size()));
    for (const Sample& sample : window.samples) write_sample(sample, out);
  }
  out.u64(hash_of(out.written()));
  CHECK(out.ok());
  buffer.resize(out.size());
  return buffer;
}

std::string_view name_of(SavedFault fault) {
  switch (fault) {
    case SavedFault::kForeign:
      return "no file of saved samples";
    case SavedFault::kVersion:
      return "of another version";
    case SavedFault::kDamaged:
      return "damaged: the check sum is wrong";
    case SavedFault::kCut:
      return "of the wrong length";
    case SavedFault::kTooMany:
      return "more samples than there can be, or none";
    case SavedFault::kSource:
      return "a window of no source";
    case SavedFault::kTime:
      return "a sample of the future, or from too long ago";
    case SavedFault::kSample:
      return "a value that no sample has";
  }
  return "";
}

Result<SavedSamples, SavedFault> parse_samples(Bytes bytes) {
  const Bytes magic = std::as_bytes(std::span(kMagic));
  if (bytes.size() < magic.size() || !std::ranges::equal(bytes.first(magic.size()), magic)) {
    return fail(SavedFault::kForeign);
  }
  ByteReader in(bytes);
  in.skip(magic.size());
  const std::uint16_t version = in.u16();
  if (in.ok() && version != kFormatVersion) return fail(SavedFault::kVersion);
  if (in.remaining() < kHashSize) return fail(SavedFault::kCut);
  const Bytes body = bytes.first(bytes.size() - kHashSize);
  if (ByteReader(bytes.last(kHashSize)).u64() != hash_of(body)) return fail(SavedFault::kDamaged);
  in = ByteReader(body);
  in.skip(magic.size() + sizeof(version));
  SavedSamples out;
  out.at = read_moment(in);
  const std::size_t count = in.u16();
  if (!in.ok()) return fail(SavedFault::kCut);
  if (!is_moment(out.at)) return fail(SavedFault::kTime);
  if (count > kMaxWindows) return fail(SavedFault::kTooMany);
  out.windows.resize(count);
  for (SampleWindow& window : out.windows) {
    const auto fault = read_window(in, out.at.raw, window);
    if (fault) return fail(*fault);
  }
  if (in.remaining() != 0) return fail(SavedFault::kCut);
  return out;
}

std::string_view name_of(StaleSamples stale) {
  switch (stale) {
    case StaleSamples::kNoOscillator:
      return "nothing tells how much time has passed since";
    case StaleSamples::kOtherBoot:
      return "the machine was started anew";
    case StaleSamples::kSuspended:
      return "the machine was suspended";
    case StaleSamples::kPause:
      return "they are too old";
    case StaleSamples::kClockSet:
      return "the system clock was set";
    case StaleSamples::kNewMonth:
      return "a leap second may lie between";
  }
  return "";
}

Result<void, StaleSamples> carry_over(SavedSamples& saved, const RunMoment& now, MonoTime mono) {
  if (const auto why = stale(saved.at, now)) return fail(*why);
  const Duration pause = now.oscillator - saved.at.oscillator;
  const Duration shift = now.raw - (saved.at.raw + pause);
  const Duration error = kReadingError + drift_over(pause, kRelationError);
  for (SampleWindow& window : saved.windows) {
    for (Sample& sample : window.samples) {
      sample.at.raw = sample.at.raw + shift;
      sample.at.mono = mono - std::max(now.raw - sample.at.raw, Duration());
      sample.offset -= shift;
      sample.dispersion += error;
    }
  }
  saved.at = now;
  return {};
}

}  // namespace timepool::ntp
