#include "ntp/reply_reason.h"

#include <array>

#include "base/check.h"
#include "ntp/server/packet_reason.h"

namespace timepool::ntp {
namespace {

// In the order of the enum; a test compares the two.
constexpr std::array<std::string_view, kReplyReasonCount> kNames{
    "accepted",          "too_short",
    "bad_length",        "bad_version",
    "bad_field",         "too_many_fields",
    "bad_mac",           "wrong_mode",
    "early_broadcast",   "wrong_version",
    "unsolicited_reply", "duplicate",
    "replayed",          "late",
    "warm_up",           "zero_origin",
    "wrong_origin",      "crypto_nak",
    "not_authentic",     "reflected",
    "peer_unasked",      "wrong_sender",
    "not_taken",         "unmeasurable",
    "uncalibrated",      "implausible",
    "kiss_rate",         "kiss_rate_long",
    "kiss_deny",         "kiss_rstr",
    "kiss_other",        "zero_timestamp",
    "unsynchronised",    "future_reference",
    "stale_timestamp",   "too_distant",
    "too_early",         "bogus_times",
    "too_delayed",       "local_clock_stepped",
    "leap_second"};

}  // namespace

std::string_view name_of(ReplyReason reason) {
  const auto index = static_cast<std::size_t>(reason);
  CHECK(index < kNames.size());
  return kNames[index];
}

ReplyReason reply_reason_of(wire::ntp::PacketError error) {
  return packet_reason<ReplyReason>(error);
}

}  // namespace timepool::ntp
