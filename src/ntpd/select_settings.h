// The settings of the selection, and who we are, as the core wants them.
#pragma once

#include "config/ntpd.h"
#include "ntp/candidate.h"

namespace timepool::ntpd {

// Without min_sources: it is the population's as well.
ntp::SelectionConfig selection_config(const config::NtpSourcesConfig& config);

}  // namespace timepool::ntpd
