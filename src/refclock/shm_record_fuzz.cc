// Any content of a segment, of either layout: one reason, and it is taken once.
#include <array>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "refclock/shm_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const refclock::ShmLayout* layout = refclock::shm_layout_of(size);
  if (layout == nullptr) return 0;
  alignas(8) std::array<std::byte, refclock::kShmMaxSize> segment{};
  std::memcpy(segment.data(), data, layout->size);
  const refclock::Look look = refclock::read_shm_segment(segment.data(), *layout);
  CHECK(static_cast<std::size_t>(look.reason) < ntp::kRefclockReasonCount);
  CHECK(refclock::read_shm_segment(segment.data(), *layout).reason ==
        ntp::RefclockReason::kNothingNew);
  if (look.reason != ntp::RefclockReason::kAccepted) return 0;
  CHECK(look.reading.offset.abs() <= ntp::kMaxRefclockOffset);
  CHECK(look.reading.leap != wire::ntp::Leap::kUnsynchronised);
  return 0;
}
