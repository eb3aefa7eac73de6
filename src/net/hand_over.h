// HandOver: how a daemon gives its sockets to the process that replaces it, without losing what
// comes meanwhile. The new process speaks the command "take-over" on one control connection:
//   phase          answer                                   the old process meanwhile
//   "begin"        pid, version, descriptors, environment   serves
//   "descriptors"  from number "first" on, some of them     serves
//   "release"      state: what the new one needs to know    serves, but does nothing else any more
//   "stop"         (nothing)                                answers nothing; requests wait
//   "confirm"      (nothing)                                leaves
// Descriptor 0 is the control socket's listener, the others are server sockets in their order.
// Until "confirm" is answered the old process is the one in charge: when the connection ends or a
// phase takes longer than kPhaseLimit it goes on as before. Only root and the user that this
// process runs as may. Main thread only. net/take_over.h is the other side.
#pragma once

#include <sys/types.h>

#include <boost/json/object.hpp>
#include <functional>
#include <vector>

#include "net/control.h"
#include "net/reactor.h"
#include "sys/log.h"

namespace timepool::net {

struct HandOverSteps {
  // The server sockets now, in their order.
  std::function<std::vector<int>()> descriptors;
  // Gives up the clock, files and ports; what is returned is the state of "release".
  std::function<boost::json::object()> release;
  // Ends the answering.
  std::function<void()> stop;
  // Everything again as before release(), and before stop() if it was called.
  std::function<void()> resume;
  // The successor will be in charge once it is told so; resume() takes it back.
  std::function<void(pid_t successor)> announce;
  // The successor is in charge: ends this process.
  std::function<void(pid_t successor)> leave;
};

class HandOver {
 public:
  // From "release" on, until the next phase is asked for. A start takes milliseconds; a disk that
  // has to wake up some seconds.
  static constexpr Duration kPhaseLimit = Duration::seconds(15);

  // Adds the command to `control`. All that is given outlives this.
  HandOver(Reactor& reactor, ControlServer& control, sys::Logger& logger, HandOverSteps steps,
           Duration phase_limit = kPhaseLimit);

 private:
  enum class Phase : unsigned char { kNone, kBegun, kReleased, kStopped, kConfirmed };

  Result<ControlAnswer> handle(const boost::json::object& request, const ControlPeer& peer);
  Result<ControlAnswer> begin(const ControlPeer& peer);
  Result<ControlAnswer> descriptors(const boost::json::object& request) const;
  Result<ControlAnswer> release();
  Result<ControlAnswer> stop();
  Result<ControlAnswer> confirm();
  void limit_phase();
  void give_up(std::string_view why);

  Reactor& reactor_;
  ControlServer& control_;
  sys::Logger& logger_;
  HandOverSteps steps_;
  Duration phase_limit_;
  Phase phase_ = Phase::kNone;
  ControlPeer successor_;
  Timer timer_;
};

}  // namespace timepool::net
