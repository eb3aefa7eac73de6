#include "sim/hostility.h"

#include <array>

#include "base/check.h"
#include "base/civil.h"
#include "wire/ntp/header.h"

namespace timepool::sim {
namespace {

using wire::ntp::Header;
using wire::ntp::ReferenceId;

constexpr std::size_t kRemembered = 32;
constexpr std::size_t kLongest = 2048;
constexpr std::uint64_t kMostCopies = 20;
constexpr std::uint64_t kMostKisses = 8;

Header header_of(const std::vector<std::byte>& reply) {
  ByteReader reader(reply);
  return wire::ntp::read_header(reader);
}

std::vector<std::byte> octets_of(const Header& header) {
  std::vector<std::byte> out(wire::ntp::kHeaderSize);
  ByteWriter writer(out);
  wire::ntp::write_header(header, writer);
  CHECK(writer.ok());
  return out;
}

NtpTimestamp shifted(NtpTimestamp time, Duration by) {
  const auto bits = static_cast<std::uint64_t>(by.ns() / 1'000'000'000) << 32;
  const auto fraction = static_cast<std::uint64_t>((by.ns() % 1'000'000'000) * 4);
  return NtpTimestamp::from_bits(time.bits() + bits + fraction);
}

}  // namespace

std::string_view name_of(Trick trick) {
  constexpr std::array<std::string_view, kTrickCount> kNames = {
      "fields", "times", "replays", "delays", "duplicates", "kisses", "garbage", "lies"};
  return kNames[static_cast<std::size_t>(trick)];
}

std::vector<HostileSending> Hostility::play(const Octets& reply, UnixTime now) {
  CHECK(any() && reply.size() >= wire::ntp::kHeaderSize);
  remember(reply);
  std::vector<HostileSending> out;
  switch (tricks_[prng_.below(tricks_.size())]) {
    case Trick::kFields:
      out.push_back({{}, spoil_fields(reply)});
      break;
    case Trick::kTimes:
      out.push_back({{}, spoil_times(reply, now)});
      break;
    case Trick::kReplays:
      for (std::uint64_t i = prng_.below(kMostCopies) + 1; i > 0; --i) {
        const auto delay = Duration::milliseconds(static_cast<std::int64_t>(prng_.below(2000)));
        const Octets& any = old_[prng_.below(old_.size())];
        out.push_back({delay, any, any == reply});
      }
      break;
    case Trick::kDelays: {
      const std::uint64_t longest = once_in(2) ? 3'000 : 3 * 3'600'000;
      const auto delay = Duration::milliseconds(static_cast<std::int64_t>(prng_.below(longest)));
      out.push_back({delay, reply});
      break;
    }
    case Trick::kDuplicates:
      out.assign(2 + prng_.below(kMostCopies), {{}, reply});
      break;
    case Trick::kKisses:
      for (std::uint64_t i = prng_.below(kMostKisses) + 1; i > 0; --i) {
        out.push_back({{}, kiss(reply)});
      }
      break;
    case Trick::kGarbage:
      out.push_back({{}, garbage()});
      break;
    case Trick::kLies:
      out.push_back({{}, lie(reply)});
      break;
  }
  return out;
}

void Hostility::remember(const Octets& reply) {
  if (old_.size() < kRemembered) {
    old_.push_back(reply);
  } else {
    old_[prng_.below(kRemembered)] = reply;
  }
}

// The origin stays right more often than not: all else is refused before it is looked at.
Hostility::Octets Hostility::spoil_fields(const Octets& reply) {
  Octets out = reply;
  const auto extreme = [&] {
    constexpr std::array<unsigned, 6> kOctets = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
    return static_cast<std::byte>(once_in(2) ? kOctets[prng_.below(kOctets.size())]
                                             : prng_.below(256));
  };
  // Leap, version and mode; stratum; poll; precision; root delay, dispersion and reference id;
  // the timestamps.
  constexpr std::array<std::size_t, 12> kFields = {0, 1, 2, 3, 4, 8, 12, 16, 24, 32, 40, 48};
  for (std::size_t field = 0; field + 1 < kFields.size(); ++field) {
    const bool origin = kFields[field] == 24;
    if (!once_in(origin ? 16 : 3)) continue;
    for (std::size_t i = kFields[field]; i < kFields[field + 1]; ++i) out[i] = extreme();
  }
  // Half of the time it is a reply of a server at least.
  if (once_in(2)) out[0] = (out[0] & std::byte{0xc0}) | std::byte{0x24};
  return out;
}

NtpTimestamp Hostility::extreme_time(UnixTime now) {
  const auto day = [](std::int64_t year, int month, int of_month) {
    return start_of_day(days_of({year, month, of_month}));
  };
  const auto wobble = Duration::nanoseconds(
      static_cast<std::int64_t>(prng_.below(120'000'000'000)) - 60'000'000'000);
  // Eras of 2^32 s begin in 1900, 2036 and 2172; their middles are in 1968 and 2104.
  const UnixTime era = UnixTime::from_seconds((std::int64_t{1} << 32) - kNtpToUnixSeconds);
  const std::array<NtpTimestamp, 10> times = {
      NtpTimestamp(),
      NtpTimestamp::from_bits(1),
      NtpTimestamp::from_bits(~std::uint64_t{0}),
      NtpTimestamp::from_bits(prng_.next()),
      to_ntp(day(1968, 1, 20) + wobble),
      to_ntp(day(1970, 1, 1) + wobble),
      to_ntp(era + wobble),
      to_ntp(day(2104, 2, 26) + wobble),
      to_ntp(now + wobble),
      to_ntp(now + Duration::seconds(static_cast<std::int64_t>(prng_.below(1ULL << 32)))),
  };
  return times[prng_.below(times.size())];
}

Hostility::Octets Hostility::spoil_times(const Octets& reply, UnixTime now) {
  Header header = header_of(reply);
  if (once_in(2)) header.reference = extreme_time(now);
  if (once_in(2)) header.receive = extreme_time(now);
  if (once_in(2)) header.transmit = extreme_time(now);
  // Both a whole era's share away: no delay tells.
  if (once_in(3)) {
    const NtpTimestamp far = extreme_time(now);
    header.receive = far;
    header.transmit = far;
    header.reference = far;
  }
  return octets_of(header);
}

Hostility::Octets Hostility::kiss(const Octets& reply) {
  constexpr std::array<std::string_view, 8> kCodes = {"RATE", "DENY", "RSTR", "INIT",
                                                      "STEP", "NTSN", "XXXX", ""};
  Header header = header_of(reply);
  header.leap = wire::ntp::Leap::kUnsynchronised;
  header.stratum = 0;
  header.poll = static_cast<std::int8_t>(prng_.below(256));
  header.reference_id = ReferenceId::from_text(kCodes[prng_.below(kCodes.size())]);
  return octets_of(header);
}

Hostility::Octets Hostility::garbage() {
  Octets out(prng_.below(kLongest));
  for (std::byte& octet : out) octet = static_cast<std::byte>(prng_.below(256));
  return out;
}

Hostility::Octets Hostility::lie(const Octets& reply) {
  Header header = header_of(reply);
  // Microseconds to a day, each size as likely.
  const auto size = static_cast<std::int64_t>(1000) << prng_.below(37);
  const auto by = Duration::nanoseconds(once_in(2) ? size : -size);
  header.reference = shifted(header.reference, by);
  header.receive = shifted(header.receive, by);
  header.transmit = shifted(header.transmit, by);
  return octets_of(header);
}

}  // namespace timepool::sim
