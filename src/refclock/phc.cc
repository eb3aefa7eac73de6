// The driver for PTP hardware clocks: the ioctls of /dev/ptpN, by the best way that the device has
// to compare its clock with the system's.
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "refclock/driver.h"
#include "refclock/phc_device.h"
#include "refclock/phc_offset.h"
#include "sys/clock.h"
#include "sys/fd.h"

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

// How the two clocks are compared, the best first.
enum class Method : std::uint8_t { kPrecise, kExtended, kBasic, kRead };

using Comparisons = StaticVector<PhcComparison, PTP_MAX_SAMPLES>;

UnixTime time_of(const ptp_clock_time& time) {
  return UnixTime::from_seconds(time.sec) + Duration::nanoseconds(time.nsec);
}

void add(Comparisons& out, UnixTime before, UnixTime device, UnixTime after) {
  static_cast<void>(out.push_back({before, device, after}));
}

// The device reads both clocks at one moment.
bool compare_precisely(PhcDevice& device, unsigned samples, Comparisons& out) {
  for (unsigned i = 0; i < samples; ++i) {
    ptp_sys_offset_precise request{};
    if (!device.control(PTP_SYS_OFFSET_PRECISE, &request)) return false;
    const UnixTime system = time_of(request.sys_realtime);
    add(out, system, time_of(request.device), system);
  }
  return true;
}

// The kernel reads the system clock right around the device's register.
bool compare_extended(PhcDevice& device, unsigned samples, Comparisons& out) {
  ptp_sys_offset_extended request{};
  request.n_samples = samples;
  if (!device.control(PTP_SYS_OFFSET_EXTENDED, &request)) return false;
  for (unsigned i = 0; i < std::min<unsigned>(request.n_samples, PTP_MAX_SAMPLES); ++i) {
    add(out, time_of(request.ts[i][0]), time_of(request.ts[i][1]), time_of(request.ts[i][2]));
  }
  return true;
}

// The kernel reads the clocks in turn.
bool compare_basically(PhcDevice& device, unsigned samples, Comparisons& out) {
  ptp_sys_offset request{};
  request.n_samples = samples;
  if (!device.control(PTP_SYS_OFFSET, &request)) return false;
  for (unsigned i = 0; i < std::min<unsigned>(request.n_samples, PTP_MAX_SAMPLES); ++i) {
    add(out, time_of(request.ts[2 * i]), time_of(request.ts[2 * i + 1]),
        time_of(request.ts[2 * i + 2]));
  }
  return true;
}

// We read the clocks in turn.
bool compare_by_reading(PhcDevice& device, unsigned samples, Comparisons& out) {
  for (unsigned i = 0; i < samples; ++i) {
    const UnixTime before = sys::unix_now();
    timespec read{};
    if (!device.read_clock(read)) return false;
    add(out, before, sys::to_unix_time(read), sys::unix_now());
  }
  return true;
}

bool compare(PhcDevice& device, Method method, unsigned samples, Comparisons& out) {
  switch (method) {
    case Method::kPrecise:
      return compare_precisely(device, samples, out);
    case Method::kExtended:
      return compare_extended(device, samples, out);
    case Method::kBasic:
      return compare_basically(device, samples, out);
    case Method::kRead:
      break;
  }
  return compare_by_reading(device, samples, out);
}

class PhcDriver final : public Driver {
 public:
  PhcDriver(std::unique_ptr<PhcDevice> device, Method method, const PhcOptions& options)
      : device_(std::move(device)), method_(method), options_(options) {}

  int fd() const override { return options_.external ? device_->fd() : -1; }

  void poll(Looks& out) override {
    static_cast<void>(out.push_back(options_.external ? look_at_input() : look_at_clock()));
  }

 private:
  Look look_at_clock() const {
    Comparisons comparisons;
    if (compare(*device_, method_, options_.samples, comparisons)) {
      return compare_clocks({comparisons.begin(), comparisons.size()});
    }
    Look failed;
    failed.reason = RefclockReason::kDeviceFailed;
    return failed;
  }

  // The oldest timestamp that the device holds, in the system clock's time.
  Look look_at_input() const {
    Look out;
    // The kernel's read() waits even if it was asked not to.
    if (!device_->has_event()) return out;
    ptp_extts_event event{};
    const ssize_t got = device_->read_event(event);
    if (got != static_cast<ssize_t>(sizeof event)) {
      const bool later = got < 0 && (errno == EINTR || errno == EAGAIN);
      if (!later) out.reason = RefclockReason::kDeviceFailed;
      return out;
    }
    if (event.index != options_.channel) return out;
    Look clocks = look_at_clock();
    if (clocks.reason != RefclockReason::kAccepted) return clocks;
    // The device became readable with the pulse, so both clocks are compared within a moment of it.
    clocks.reading.local = time_of(event.t) - clocks.reading.offset;
    clocks.reading.pulse = true;
    return clocks;
  }

  std::unique_ptr<PhcDevice> device_;
  Method method_;
  PhcOptions options_;
};

Result<void> set_up_input(PhcDevice& device, const PhcOptions& options) {
  const std::string what = "PHC " + options.device;
  ptp_clock_caps capabilities{};
  if (!device.control(PTP_CLOCK_GETCAPS, &capabilities)) return fail(system_error(errno, what));
  if (std::cmp_greater_equal(options.channel, capabilities.n_ext_ts)) {
    return fail(Error{ErrorCode::kInvalid, what,
                      "the device has " + std::to_string(capabilities.n_ext_ts) +
                          " inputs; channel counts from 0"});
  }
  if (capabilities.n_pins > 0) {
    ptp_pin_desc pin{};
    pin.index = options.pin;
    pin.func = PTP_PF_EXTTS;
    pin.chan = options.channel;
    if (!device.control(PTP_PIN_SETFUNC, &pin)) {
      return fail(system_error(errno, what + ": pin " + std::to_string(options.pin)));
    }
  }
  ptp_extts_request request{};
  request.index = options.channel;
  request.flags = PTP_ENABLE_FEATURE |
                  (options.edge == PulseEdge::kAssert ? PTP_RISING_EDGE : PTP_FALLING_EDGE);
  if (!device.control(PTP_EXTTS_REQUEST, &request)) {
    return fail(
        system_error(errno, what + ": timestamps of input " + std::to_string(options.channel)));
  }
  return {};
}

// The best method that works, by trying.
Result<Method> method_of(PhcDevice& device, const PhcOptions& options) {
  for (const Method method : {Method::kPrecise, Method::kExtended, Method::kBasic, Method::kRead}) {
    Comparisons comparisons;
    if (compare(device, method, options.samples, comparisons)) return method;
  }
  return fail(system_error(errno, "PHC " + options.device + ": read the clock"));
}

class OpenPhcDevice final : public PhcDevice {
 public:
  explicit OpenPhcDevice(sys::Fd fd) : fd_(std::move(fd)) {}

  int fd() const override { return fd_.number(); }
  bool control(unsigned long request, void* argument) override {
    return ::ioctl(fd_.number(), request, argument) == 0;
  }
  bool read_clock(timespec& out) override {
    // The kernel makes a clock of a descriptor (its FD_TO_CLOCKID).
    const auto clock = static_cast<clockid_t>((~static_cast<unsigned>(fd_.number()) << 3) | 3U);
    return ::clock_gettime(clock, &out) == 0;
  }
  bool has_event() override {
    pollfd ready{fd_.number(), POLLIN, 0};
    return ::poll(&ready, 1, 0) > 0;
  }
  ssize_t read_event(ptp_extts_event& out) override {
    return ::read(fd_.number(), &out, sizeof out);
  }

 private:
  sys::Fd fd_;
};

}  // namespace

Result<std::unique_ptr<Driver>> drive_phc(std::unique_ptr<PhcDevice> device,
                                          const PhcOptions& options) {
  PhcOptions used = options;
  used.samples = std::clamp(options.samples, 1U, static_cast<unsigned>(PTP_MAX_SAMPLES));
  const Method method = TRY(method_of(*device, used));
  if (used.external) TRY(set_up_input(*device, used));
  return std::unique_ptr<Driver>(std::make_unique<PhcDriver>(std::move(device), method, used));
}

Result<std::unique_ptr<Driver>> open_phc(const PhcOptions& options) {
  // To program an input the descriptor must be opened for writing.
  sys::Fd fd(::open(options.device.c_str(), (options.external ? O_RDWR : O_RDONLY) | O_CLOEXEC));
  if (!fd.valid()) return fail(system_error(errno, "PHC " + options.device));
  return drive_phc(std::make_unique<OpenPhcDevice>(std::move(fd)), options);
}

}  // namespace timepool::refclock
