#include "ntp/refclock_reading.h"

#include <array>

#include "base/check.h"

namespace timepool::ntp {
namespace {

// In the order of the enum; a test compares the two.
constexpr std::array<std::string_view, kRefclockReasonCount> kNames{
    "accepted",      "nothing_new",   "torn",         "wrong_size",     "wrong_magic",
    "bad_field",     "not_finite",    "too_large",    "unsynchronised", "duplicate",
    "stale",         "future",        "narrow_pulse", "no_second",      "ambiguous",
    "no_tai_offset", "too_dispersed", "device_failed"};

}  // namespace

std::string_view name_of(RefclockReason reason) {
  const auto index = static_cast<std::size_t>(reason);
  CHECK(index < kNames.size());
  return kNames[index];
}

}  // namespace timepool::ntp
