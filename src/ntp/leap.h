// LeapKeeper: which leap second ends the present day, told by leap-seconds.list or, where there is
// none that is valid, by the majority of the selected sources.
//
// RFC 8633 3.7: a leap is announced and applied on the last day of its month only, whoever tells of
// it and when. A majority is believed at the end of June and December, as ITU-R TF.460 prefers and
// as all leaps so far were; other months need the file. A valid file is believed alone.
//
// All times are UTC as the caller takes it to be: the system clock's when it is right.
#pragma once

#include <optional>

#include "ntp/leap_table.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

// How the leap gets into the system clock.
enum class LeapMode : std::uint8_t {
  kKernel,  // the kernel does it, told in time
  kStep,    // stepped by a second at the leap
  kSlew,    // slewed by a second from the leap on
  kIgnore,  // nothing is announced or done; the sources' jump is measured and corrected
};
// "kernel", "step", "slew", "ignore".
std::string_view name_of(LeapMode mode);

struct LeapConfig {
  LeapMode mode = LeapMode::kKernel;
  // RFC 8633 3.7.1: the sources spread the leap over hours, so it is none of our business.
  bool sources_smear = false;
};

class LeapKeeper {
 public:
  explicit LeapKeeper(const LeapConfig& config = {}) : config_(config) {}

  const LeapConfig& config() const { return config_; }
  // The leap file's; empty: there is none.
  void set_table(std::optional<LeapTable> table) { table_ = std::move(table); }
  const std::optional<LeapTable>& table() const { return table_; }
  // What the majority of the selected sources says at `now`; kUnsynchronised, when nobody is
  // selected, changes nothing.
  void handle_majority(wire::ntp::Leap leap, UnixTime now);
  // The leap was applied: nothing more is said of it, also while UTC repeats its second.
  void handle_applied(const LeapSecond& leap);

  // The leap at the end of the day that `now` is in.
  std::optional<LeapSecond> armed(UnixTime now) const;
  // The last leap that was applied.
  const std::optional<LeapSecond>& applied() const { return applied_; }
  // The leap indicator for those who ask us: kNone or the armed leap's.
  wire::ntp::Leap announcement(UnixTime now) const;
  // TAI - UTC in seconds by the file; empty without one that is valid.
  std::optional<int> tai_offset(UnixTime now) const;

 private:
  // What a majority said, and on which day.
  struct Majority {
    wire::ntp::Leap leap = wire::ntp::Leap::kNone;
    std::int64_t day = 0;
  };

  int seconds_by_table(UnixTime midnight) const;
  int seconds_by_majority(std::int64_t day) const;

  LeapConfig config_;
  std::optional<LeapTable> table_;
  std::optional<Majority> majority_;
  std::optional<LeapSecond> applied_;
};

// 00:00:00 UTC at the end of the day that `now` is in.
UnixTime next_midnight(UnixTime now);
// How it is announced.
inline wire::ntp::Leap indicator_of(const LeapSecond& leap) {
  return leap.seconds < 0 ? wire::ntp::Leap::kDelete : wire::ntp::Leap::kInsert;
}
// Where the clock is corrected: at midnight by a second back, or a second before by one forward.
inline UnixTime moment_of(const LeapSecond& leap) {
  return leap.seconds < 0 ? leap.at - Duration::seconds(1) : leap.at;
}
// How the clock changes there.
inline Duration step_of(const LeapSecond& leap) {
  return Duration::seconds(-leap.seconds);
}

}  // namespace timepool::ntp
