// Measured: what a member of the source set is to those who make time from it: something with
// samples, be it an association with a server or a reference clock.
#pragma once

#include <cstdint>

#include "ntp/estimator.h"

namespace timepool::ntp {

class Measured {
 public:
  virtual ~Measured() = default;

  // Whether there is an estimate: samples, and reachable.
  virtual bool measurable() const = 0;
  // Whether estimate() and latest() may be asked.
  virtual bool has_samples() const = 0;
  // It has answered, or failed to often enough that it need not be waited for.
  virtual bool decided() const = 0;
  // CHECKs that there are samples.
  virtual Estimate estimate(MonoTime now) const = 0;
  virtual const Sample& latest() const = 0;
  // One bit a poll, the newest lowest; set when it brought a usable sample (RFC 5905 9.2).
  virtual std::uint8_t reach() const = 0;
  // By its reach, or by what that was before the request that is waiting.
  virtual bool reachable() const = 0;
  // The system clock was stepped: what is being measured across the step is no measurement.
  // Samples, which are in raw time, stay.
  virtual void handle_clock_step() = 0;
  // True time jumped against raw time, by a leap second: samples from before are moved along.
  virtual void handle_leap(Duration step) = 0;
  // Raw time was lost, by a suspend: samples are worth nothing.
  virtual void handle_time_lost(MonoTime now) = 0;
};

}  // namespace timepool::ntp
