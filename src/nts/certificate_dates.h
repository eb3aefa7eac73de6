// CertificateDates: by which time a client judges the dates of a server's certificate when it asks
// that server for the time (RFC 8915 8.5). Pure; TLS asks it what to check.
//
// A machine without a clock finds every certificate not yet valid. So the first updates of the
// clock may do without the full check, under three conditions: what ended before the last time that
// is known to have been right is refused all the same; enough sources must agree on the time
// (ntp/selection.h); and by that time every certificate is judged again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace timepool::nts {

struct DateSettings {
  // So many updates of the clock do without; 0: none.
  std::uint64_t unchecked_updates = 0;
  // A time when the clock is known to have been right: the program's build, the last good time of
  // an earlier run. It is later than that now.
  UnixTime earliest;
  bool operator==(const DateSettings&) const = default;
};

// How it is known that a certificate holds now.
enum class DatesJudged : std::uint8_t {
  kNot,         // only that it did not end before DateSettings::earliest
  kByOwnClock,  // by the system clock, before the sources said what time it is
  kByAgreed,    // by the time that the sources agree on
};
// "not", "own_clock", "agreed".
std::string_view name_of(DatesJudged judged);

// What a certificate that is shown now must have.
struct DateRule {
  bool begun = true;  // else only that it has not ended before `time`
  UnixTime time;
  DatesJudged judged = DatesJudged::kByOwnClock;  // what is then known of it
  bool operator==(const DateRule&) const = default;
};

// `updates`: of the clock since the start; `agreed`: true time by the sources, when they have ever
// agreed; `own`: the system clock.
DateRule date_rule(const DateSettings& settings, std::uint64_t updates,
                   const std::optional<UnixTime>& agreed, UnixTime own);

// Of a certificate, with those above it: it holds from the latest beginning to the earliest end.
struct CertificateDates {
  UnixTime not_before = UnixTime::from_ns(INT64_MIN);
  UnixTime not_after = UnixTime::from_ns(INT64_MAX);
  DatesJudged judged = DatesJudged::kByOwnClock;

  bool hold_at(UnixTime time) const { return not_before <= time && time <= not_after; }
  // As TLS judges them.
  bool satisfy(const DateRule& rule) const {
    return rule.begun ? hold_at(rule.time) : rule.time <= not_after;
  }
  bool operator==(const CertificateDates&) const = default;
};

}  // namespace timepool::nts
