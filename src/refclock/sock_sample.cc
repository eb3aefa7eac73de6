#include "refclock/sock_sample.h"

#include <cmath>
#include <cstring>

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

// The sender is on this machine: native byte order.
template <class T>
T take(ByteReader& reader) {
  T out{};
  const Bytes bytes = reader.bytes(sizeof out);
  if (bytes.size() == sizeof out) std::memcpy(&out, bytes.data(), sizeof out);
  return out;
}

struct Fields {
  std::int64_t sec = 0;
  std::int64_t usec = 0;
  double offset = 0;
  std::int32_t pulse = 0;
  std::int32_t leap = 0;
  std::int32_t magic = 0;
};

Fields fields_of(Bytes datagram) {
  ByteReader reader(datagram);
  Fields out;
  const bool wide = datagram.size() == kSockWideSize;
  out.sec = wide ? take<std::int64_t>(reader) : take<std::int32_t>(reader);
  out.usec = wide ? take<std::int64_t>(reader) : take<std::int32_t>(reader);
  out.offset = take<double>(reader);
  out.pulse = take<std::int32_t>(reader);
  out.leap = take<std::int32_t>(reader);
  reader.skip(sizeof(std::int32_t));
  out.magic = take<std::int32_t>(reader);
  return out;
}

RefclockReason judge(const Fields& fields) {
  // Years 1678 to 2262.
  constexpr std::int64_t kMostSeconds = 9'223'372'035;
  if (fields.magic != kSockMagic) return RefclockReason::kWrongMagic;
  if (fields.usec < 0 || fields.usec >= 1'000'000) return RefclockReason::kBadField;
  if (fields.sec < -kMostSeconds || fields.sec > kMostSeconds) return RefclockReason::kBadField;
  if (fields.leap < 0 || fields.leap > 3) return RefclockReason::kBadField;
  if (!std::isfinite(fields.offset)) return RefclockReason::kNotFinite;
  if (std::abs(fields.offset) > ntp::kMaxRefclockOffset.to_seconds()) {
    return RefclockReason::kTooLarge;
  }
  if (fields.leap == 3) return RefclockReason::kUnsynchronised;
  return RefclockReason::kAccepted;
}

}  // namespace

Look parse_sock_sample(Bytes datagram) {
  Look out;
  out.reason = RefclockReason::kWrongSize;
  if (datagram.size() != kSockWideSize && datagram.size() != kSockNarrowSize) return out;
  const Fields fields = fields_of(datagram);
  out.reason = judge(fields);
  if (out.reason != RefclockReason::kAccepted) return out;
  out.reading.local =
      UnixTime::from_seconds(fields.sec) + Duration::nanoseconds(fields.usec * 1000);
  out.reading.offset = Duration::from_seconds(fields.offset);
  out.reading.pulse = fields.pulse != 0;
  out.reading.leap = static_cast<wire::ntp::Leap>(fields.leap);
  return out;
}

}  // namespace timepool::refclock
