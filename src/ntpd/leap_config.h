// The settings of leap seconds as ntp/leap.h wants them.
#pragma once

#include "config/ntpd.h"
#include "ntp/leap.h"

namespace timepool::ntpd {

ntp::LeapConfig leap_config(const config::NtpdConfig& config);

}  // namespace timepool::ntpd
