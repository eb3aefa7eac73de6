// SmearWatch: finds out which sources spread a leap second over hours while the others do not, or
// the other way round (RFC 8633 3.7.1: B17).
//
// From a day before a leap until a day after it the offset of each source, less the median of the
// others', is fitted to what each known smear would make of it: d = c + k * smear(t). A source
// smears when k is 1 within its error for one of them, and k is -1 for the only one that does not
// smear among many that do. Those who differ are told when they are a minority. A verdict stays
// until that smear ends, or until the fit says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "base/ring_buffer.h"
#include "ntp/outbox.h"
#include "ntp/smear.h"

namespace timepool::ntp {

// Of one source. A quarter of a minute apart at least: 16 minutes, or as long as it is asked.
inline constexpr std::size_t kSmearPoints = 64;
inline constexpr Duration kSmearSpacing = Duration::seconds(15);
// Leaps are looked at for this long before and after.
inline constexpr Duration kSmearHorizon = Duration::seconds(25 * 3600);

class SmearWatch {
 public:
  // One source's measurement now.
  struct Reading {
    AssociationId id = 0;
    Duration offset;
    bool updated = false;  // it has a new sample
  };

  // The leap that is near, or none; another one than before begins anew.
  void set_leap(const std::optional<LeapSecond>& leap);
  // CHECKs that there are at most kMaxCandidates. `utc` need not be better than to a second.
  void update(UnixTime utc, std::span<const Reading> readings);
  // Whether it handles the leap otherwise than the majority.
  bool differs(AssociationId id) const;

 private:
  struct Point {
    double since = 0;       // the leap, in seconds
    double difference = 0;  // from the median of the others, in seconds
  };
  struct Fit {
    double factor = 0;  // k
    double error = 0;   // its standard error
    double range = 0;   // of the smear's offset over the points
  };
  struct Track {
    RingBuffer<Point, kSmearPoints> points;
    // What the fit says: 1 it smears, -1 it is one that does not among those that do.
    int verdict = 0;
    Duration until;  // since the leap, of the verdict
    bool seen = false;
  };

  void forget_missing(std::span<const Reading> readings);
  void add_point(Track& track, Duration since, double difference) const;
  std::optional<Fit> fit(const Track& track, const Smear& smear) const;
  void judge(Track& track, Duration since) const;
  void decide(std::size_t sources);

  std::optional<LeapSecond> leap_;
  bool after_ = false;
  std::map<AssociationId, Track> tracks_;  // bounded by the members
  int minority_ = 0;                       // the verdict that makes a source differ
};

}  // namespace timepool::ntp
