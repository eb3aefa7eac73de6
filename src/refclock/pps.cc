// The driver for the kernel's pulse-per-second API: RFC 2783 as Linux has it, the ioctls of
// /dev/ppsN.
#include <fcntl.h>
#include <linux/pps.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <utility>

#include "refclock/driver.h"
#include "refclock/pps_pulse.h"
#include "sys/fd.h"

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

class PpsDriver final : public Driver {
 public:
  PpsDriver(sys::Fd fd, const PpsOptions& options)
      : fd_(std::move(fd)), pulse_(options.edge, options.min_width) {}

  void poll(Looks& out) override {
    // RFC 2783 3.4.3: a timeout of zero gives what there is, at once.
    pps_fdata data{};
    Look look;
    if (::ioctl(fd_.number(), PPS_FETCH, &data) < 0) {
      // Interrupted by a signal: the next look will see the pulse.
      if (errno != EINTR) look.reason = RefclockReason::kDeviceFailed;
    } else {
      look = pulse_.look(data.info);
    }
    static_cast<void>(out.push_back(look));
  }

 private:
  sys::Fd fd_;
  PpsPulse pulse_;
};

// The edges that must be captured, as the API's bits.
int capture_bits(const PpsOptions& options) {
  const int edge = options.edge == PulseEdge::kAssert ? PPS_CAPTUREASSERT : PPS_CAPTURECLEAR;
  return options.min_width > Duration() ? PPS_CAPTUREBOTH : edge;
}

Result<void> set_up(int fd, const PpsOptions& options) {
  const std::string what = "PPS " + options.device;
  int capabilities = 0;
  if (::ioctl(fd, PPS_GETCAP, &capabilities) < 0) return fail(system_error(errno, what));
  const int wanted = capture_bits(options);
  if ((capabilities & wanted) != wanted) {
    return fail(Error{ErrorCode::kInvalid, what,
                      wanted == PPS_CAPTUREBOTH
                          ? "the device can't capture both edges, which min_width needs"
                          : "the device can't capture this edge"});
  }
  pps_kparams parameters{};
  if (::ioctl(fd, PPS_GETPARAMS, &parameters) < 0) return fail(system_error(errno, what));
  const int mode = parameters.mode | wanted | PPS_TSFMT_TSPEC;
  if (parameters.mode == mode) return {};
  parameters.mode = mode;
  if (::ioctl(fd, PPS_SETPARAMS, &parameters) < 0) {
    return fail(system_error(errno, what + ": capture the edge"));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Driver>> open_pps(const PpsOptions& options) {
  // PPS_SETPARAMS wants a descriptor that was opened for writing.
  sys::Fd fd(::open(options.device.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return fail(system_error(errno, "PPS " + options.device));
  TRY(set_up(fd.number(), options));
  return std::unique_ptr<Driver>(std::make_unique<PpsDriver>(std::move(fd), options));
}

}  // namespace timepool::refclock
