// Any datagram: one reason, and a reading that is accepted is within the limits.
#include <cstdint>

#include "base/check.h"
#include "refclock/sock_sample.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const refclock::Look look = refclock::parse_sock_sample(std::as_bytes(std::span(data, size)));
  CHECK(static_cast<std::size_t>(look.reason) < ntp::kRefclockReasonCount);
  if (look.reason != ntp::RefclockReason::kAccepted) return 0;
  CHECK(size == refclock::kSockWideSize || size == refclock::kSockNarrowSize);
  CHECK(look.reading.offset.abs() <= ntp::kMaxRefclockOffset);
  CHECK(look.reading.leap != wire::ntp::Leap::kUnsynchronised);
  return 0;
}
