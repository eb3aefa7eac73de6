#include "ntp/server/reason.h"

#include <array>

#include "base/check.h"

namespace timepool::ntp {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, kReasonCount> kNames = {
    "answered_plain",
    "answered_interleaved",
    "answered_keyed",
    "answered_nts",
    "answered_fields_ignored",
    "answered_mac_ignored",
    "answered_unsynchronised",
    "too_short",
    "bad_length",
    "bad_version",
    "bad_field",
    "too_many_fields",
    "bad_mac",
    "unknown_key",
    "key_not_allowed",
    "bad_digest",
    "source_port_zero",
    "source_address",
    "mode_reserved",
    "mode_symmetric_active",
    "mode_symmetric_passive",
    "mode_server",
    "mode_broadcast",
    "mode_control",
    "mode_private",
    "denied",
    "rate_limited",
    "rate_kod",
    "nts_malformed",
    "nts_nak",
    "nts_nak_limited",
    "not_sent",
};
static_assert(static_cast<std::size_t>(Reason::kNotSent) + 1 == kReasonCount);
static_assert(!kNames.back().empty());

}  // namespace

std::string_view name_of(Reason reason) {
  const auto index = static_cast<std::size_t>(reason);
  CHECK(index < kReasonCount);
  return kNames[index];
}

}  // namespace timepool::ntp
