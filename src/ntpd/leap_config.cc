#include "ntpd/leap_config.h"

#include "config/ntpd_leap.h"

namespace timepool::ntpd {
namespace {

ntp::LeapMode leap_mode(config::LeapMode mode) {
  switch (mode) {
    case config::LeapMode::kKernel:
      return ntp::LeapMode::kKernel;
    case config::LeapMode::kStep:
      return ntp::LeapMode::kStep;
    case config::LeapMode::kSlew:
      return ntp::LeapMode::kSlew;
    case config::LeapMode::kIgnore:
      break;
  }
  return ntp::LeapMode::kIgnore;
}

}  // namespace

ntp::LeapConfig leap_config(const config::NtpdConfig& config) {
  return {leap_mode(config.leap_mode), config::sources_smear(config)};
}

}  // namespace timepool::ntpd
