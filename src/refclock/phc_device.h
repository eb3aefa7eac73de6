// PhcDevice: what the driver asks of /dev/ptpN, one call to the system each, and nothing else: a
// test can stand in for a device with any abilities.
#pragma once

#include <linux/ptp_clock.h>
#include <sys/types.h>

#include <ctime>
#include <memory>

#include "refclock/driver.h"

namespace timepool::refclock {

class PhcDevice {
 public:
  virtual ~PhcDevice() = default;

  virtual int fd() const = 0;
  // ioctl(2) with the structure that belongs to the request. False: errno says why.
  virtual bool control(unsigned long request, void* argument) = 0;
  // The device's clock by clock_gettime(2). False: errno says why.
  virtual bool read_clock(timespec& out) = 0;
  // Whether read_event() would not wait.
  virtual bool has_event() = 0;
  // read(2) of one time-stamped pulse: its size, less at an end, -1 with errno.
  virtual ssize_t read_event(ptp_extts_event& out) = 0;
};

// The driver of a device that is open. Finds out how its clock is read, and programs its input if
// options.external.
Result<std::unique_ptr<Driver>> drive_phc(std::unique_ptr<PhcDevice> device,
                                          const PhcOptions& options);

}  // namespace timepool::refclock
