#include "monitord/sample_of.h"

namespace timepool::monitord {
namespace {

Sample failed(const char* error) {
  Sample out;
  out.error = error;
  return out;
}

Sample measured(const ntp::Sample& from) {
  Sample out;
  out.offset = from.offset.to_seconds();
  out.rtt = from.delay.to_seconds();
  out.stratum = from.stratum;
  out.leap = static_cast<int>(from.leap);
  out.root_delay = from.root_delay.to_seconds();
  out.root_dispersion = from.root_dispersion.to_seconds();
  out.refid = wire::ntp::format(from.reference_id, from.stratum);
  out.precision = from.precision;
  return out;
}

}  // namespace

std::optional<Sample> sample_of(const ntp::Reply& answer) {
  if (answer.reason == ntp::ReplyReason::kLocalClockStepped) return std::nullopt;
  if (ntp::is_kiss(answer.reason)) {
    Sample out = failed(kErrorKiss);
    out.kod = wire::ntp::text_of(answer.sample.reference_id);
    return out;
  }
  // RFC 5905 7.3: stratum 0 is no time at all, with or without a code.
  if (answer.sample.stratum == 0) return failed(kErrorKiss);
  return answer.has_times ? measured(answer.sample) : failed(kErrorBogus);
}

std::optional<Sample> sample_of(const Error& error) {
  if (error.code == ErrorCode::kUnavailable) return failed(kErrorUnreachable);
  return std::nullopt;
}

Sample timed_out() {
  return failed(kErrorTimeout);
}

}  // namespace timepool::monitord
