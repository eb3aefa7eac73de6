// LeapSmear: a server that spreads leap seconds over hours, for clients of a closed environment
// (RFC 8633 3.7.1). The system clock keeps UTC, and gets the leap second in whichever way it gets
// it; what is served departs from it by a smooth function of the time.
//
// For an inserted second the window, centred on the leap, lasts a second longer than its clock
// shows: 86,401 seconds from noon to noon, as the public smears do it, and what is served then is
// UTC again. Everything is computed on a line of time that does not leap: UTC before the leap, and
// from then on UTC as if there had been none.
#pragma once

#include <optional>

#include "ntp/leap_table.h"
#include "ntp/local_time.h"
#include "ntp/server/served_time.h"
#include "ntp/smear.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntp {

struct LeapSmearConfig {
  SmearShape shape = SmearShape::kLinear;
  Duration window = Duration::seconds(86'400);  // by UTC; kMinSmearWindow to kMaxSmearWindow
  bool operator==(const LeapSmearConfig&) const = default;
};
// At the shortest the cosine runs 436 parts in a million off, which the clients of all programs
// follow; the longest begins when a leap is seen coming by those who look for smears
// (kSmearHorizon).
inline constexpr Duration kMinSmearWindow = Duration::seconds(3600);
inline constexpr Duration kMaxSmearWindow = Duration::seconds(48 * 3600);

// What part of a leap second is not in the system clock yet, since that is slewed there.
struct LeapBacklog {
  Duration remaining;  // the true time less the system clock's
  double rate = 0;     // how it changes, in seconds a second of the system clock
  bool operator==(const LeapBacklog&) const = default;
};

// What the client half knows about leap seconds.
struct LeapKnowledge {
  // leap-seconds.list. It alone is believed: a smear begins before anybody announces a leap, and
  // after it nobody tells of it any more. null: there is none.
  const LeapTable* table = nullptr;
  std::optional<LeapSecond> applied;  // the last that true time went over
  LeapBacklog backlog;
};

class LeapSmear {
 public:
  explicit LeapSmear(const LeapSmearConfig& config) : config_(config) {}

  // What is to be served. To be asked anew every interval(), and when what is known changes.
  ServedShift shift(const ClockReading& now, const LeapKnowledge& known);
  // How long a shift stays within 25 ns of the smear; within 100 ns for half as long again.
  Duration interval() const;
  // The time served less UTC, as of the last shift(); nothing while nothing is smeared.
  std::optional<Duration> departure() const { return departure_; }

 private:
  void follow(const ClockReading& now, const LeapKnowledge& known);
  // Of the smear, of the whole second: 0 before the window, 1 after it. `line` as above.
  double share(UnixTime line) const;
  UnixTime begin() const { return leap_->at - config_.window / 2; }
  UnixTime end() const { return begin() + length(); }
  Duration length() const { return config_.window + Duration::seconds(leap_->seconds); }
  ServedShift draw(UnixTime line, Duration ahead) const;

  LeapSmearConfig config_;
  std::optional<LeapSecond> leap_;  // that is or will soon be smeared, or was just now
  Duration wall_;                   // before the leap
  bool stepped_ = false;            // the system clock was, by the leap
  bool passed_ = false;             // true time went over it
  std::optional<Duration> departure_;
};

// The reference id of a server that smears, as ntpd has it: 254, then what is served less UTC as a
// number with 2 bits of integer (signed) and 22 of fraction, in seconds.
wire::ntp::ReferenceId smear_reference_id(Duration departure);

}  // namespace timepool::ntp
