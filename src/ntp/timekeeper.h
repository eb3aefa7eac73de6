// Timekeeper: the client with its clock: the SourceSet measures in raw time, the Discipline
// decides, the ClockControl is told, and the LocalClock remembers what was done. What drives it
// knows system time only: clock readings, kernel timestamps and reports are the system's.
//
// The caller: does what the Outbox says after every call; calls handle_timer() when next_deadline()
// has come; hands in datagrams with the association whose socket they came to. One thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ntp/clock_control.h"
#include "ntp/clock_record.h"
#include "ntp/discipline.h"
#include "ntp/leap_passage.h"
#include "ntp/leap_smear.h"
#include "ntp/server/server_state.h"
#include "ntp/source_set.h"

namespace timepool::ntp {

struct TimekeeperConfig {
  SourceSetConfig sources;
  DisciplineConfig discipline;
  LeapConfig leap;
  // The oscillator's frequency error from an earlier run, as ClockEstimate's: the base rate to
  // begin with. Else the clock's rate is left as it is.
  std::optional<double> frequency;
  double frequency_sd = 1e-6;  // how sure that is
  nts::DateSettings certificates;
};

// How a reply came.
struct SystemRx {
  ClockReading now;   // when it is handled
  UnixTime received;  // by the system clock, the best timestamp; now.system where there is none
  StampSource source = StampSource::kProgram;  // of `received`
  Duration error = {};                         // as ReplyRx's
};

class Timekeeper {
 public:
  // Takes the clock's rate over as it finds it. `clock` outlives the Timekeeper.
  Timekeeper(const TimekeeperConfig& config, ClockControl& clock, const ClockReading& now,
             SourceSet::AuthenticatorFactory factory = {});
  Timekeeper(const Timekeeper&) = delete;
  Timekeeper& operator=(const Timekeeper&) = delete;

  MonoTime next_deadline() const;
  void handle_timer(const ClockReading& now, RandomStream& random, Outbox& out);
  // The reason for the datagram; kUnsolicited when the association is gone.
  ReplyReason handle_datagram(AssociationId association, const SystemRx& rx, Bytes datagram,
                              RandomStream& random, Outbox& out);
  // As SourceSet's.
  ReplyReason handle_broadcast(SourceId source, const Endpoint& from, const SystemRx& rx,
                               Bytes datagram, RandomStream& random, Outbox& out);
  // `stamp` is by the system clock.
  void handle_transmit_timestamp(AssociationId association, TransmitStamp stamp) {
    stamp.sent = local_.raw(stamp.sent);
    sources_.handle_transmit_timestamp(association, stamp);
  }
  // One look of a reference clock's driver; the reading's times are the system clock's.
  RefclockReason handle_refclock(AssociationId id, RefclockReason reason,
                                 const RefclockReading& reading, const ClockReading& now,
                                 Outbox& out);
  // A person wants the clock corrected as the sources say now, whatever the rules say. False when
  // there is nothing to correct by: no majority, or the clock is only observed.
  [[nodiscard]] bool accept_step(const ClockReading& now, Outbox& out);
  // What is announced of the system clock, told to peers from now on; before, that it is not
  // synchronised.
  void announce(const ServerState& state) { announced_ = state; }
  // Ends a slew that is under way: the clock is left at its base rate. Before the program ends.
  void release(Outbox& out);

  // For a warm restart: what is measured, to be written down, and what an earlier run measured. The
  // latter before the first reply; an error says why it can't be used.
  SavedSamples save_samples(const OscillatorReading& now) const;
  Result<void, StaleSamples> resume(SavedSamples saved, const OscillatorReading& now);

  // Which leap second is next. Its table may be set at any time.
  LeapKeeper& leap() { return leap_; }
  const LeapKeeper& leap() const { return leap_; }

  // The measuring half, in raw time. Through this one sources are added, removed and changed,
  // addresses and faults of sending told: whatever concerns no clock. Datagrams and timers come
  // here.
  SourceSet& sources() { return sources_; }
  const SourceSet& sources() const { return sources_; }
  const LocalClock& local_clock() const { return local_; }
  const Discipline& discipline() const { return discipline_; }
  const ClockRecord& record() const { return record_; }
  bool steers() const { return clock_.steers(); }
  // Why the clock could not be set the last time that it could not.
  const std::optional<Error>& failure() const { return failure_; }

  // How the dates of a certificate are judged that a server shows now.
  nts::DateRule certificate_dates(const ClockReading& now) const;
  // How often the sources have agreed on the time; where the clock is steered, only the times that
  // it was corrected.
  std::uint64_t updates() const { return updates_; }

  // As SourceSet's, but offsets are the true time, or the source's, less the system clock's: of
  // estimates at `now`, of samples and answers when they were measured.
  std::vector<SourceReport> reports(MonoTime now) const;
  Tracking tracking(MonoTime now) const;
  // How often something else was found to have moved the clock.
  std::uint64_t interferences() const { return interferences_; }
  // What a server says of the system clock; nothing while it is not kept at the sources' time.
  // When they fall silent it holds over: the root dispersion grows until somebody has enough of it.
  std::optional<ServerState> server_state(MonoTime now) const;
  // Of the last leap second, while it is being slewed away.
  LeapBacklog leap_backlog(MonoTime now) const;
  // What the system clock reads, or read, at that raw time: for `updated` of a Tracking.
  UnixTime system_time(UnixTime raw) const { return local_.system(raw); }

 private:
  bool holds_over(const Tracking& tracking) const;
  // UTC as far as it is known, at a reading of the system clock.
  UnixTime utc(const ClockReading& now) const;
  void plan_leap(const ClockReading& now, Outbox& out);
  // True when it stepped the clock: `now` is from before.
  bool pass_leap(const ClockReading& now, Outbox& out);
  void leap_passed(const ClockReading& now, Outbox& out);
  void tell_own_clock(LocalTime now);
  ReplyRx begin_datagram(const SystemRx& rx, Outbox& out);
  ReplyReason end_datagram(ReplyReason reason, const SystemRx& rx, Outbox& out);
  void tell_tai(UnixTime utc, Outbox& out);
  RunMoment moment_of(const OscillatorReading& now) const;
  LocalTime look(const ClockReading& now, Outbox& out);
  void begin(const ClockReading& now, Outbox& out);
  // True when what was measured is worth nothing any more.
  bool look_for_interference(MonoTime now, Outbox& out);
  void handle(const Steering& steering, Outbox& out);
  void update(const ClockReading& now, Outbox& out);
  void count_update(const ClockReading& now, Outbox& out);
  // True time by the sources, now or when they agreed last; nothing when they never did.
  std::optional<UnixTime> agreed_time(MonoTime now) const;
  void carry_out(const Steering& steering, Outbox& out);
  bool set_rate(double rate, Outbox& out);
  void step(Duration by, Outbox& out);
  void tell_status(MonoTime now, Outbox& out);
  void failed(Error error, Outbox& out);

  TimekeeperConfig config_;
  ClockControl& clock_;
  LocalClock local_;
  SourceSet sources_;
  Discipline discipline_;
  ClockRecord record_;
  std::optional<ServerState> announced_;
  LeapKeeper leap_;
  LeapPassage passage_;
  MonoTime leap_deadline_ = MonoTime::max();
  bool told_leap_ = false;     // the kernel is to do it
  bool leap_in_slew_ = false;  // since the last leap, which did not step the clock
  std::optional<int> told_tai_;
  Duration suspended_;
  std::uint64_t updates_ = 0;
  UnixTime corrected_;  // raw, when the sources last told what to correct
  bool begun_ = false;
  double rate_set_;         // what the clock was last known to have
  bool disturbed_ = false;  // something else moves the clock besides
  std::optional<MonoTime> last_foreign_;
  std::uint64_t interferences_ = 0;
  bool refused_ = false;  // the last correction was, and that was told
  std::optional<Error> failure_;
};

}  // namespace timepool::ntp
