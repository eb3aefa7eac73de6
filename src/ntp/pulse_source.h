// PulseSource: who tells which second a pulse begins.
#pragma once

#include <optional>
#include <string_view>

#include "ntp/local_time.h"
#include "ntp/members.h"
#include "ntp/refclock_pulse.h"
#include "ntp/source_report.h"
#include "ntp/source_table.h"

namespace timepool::ntp {

// What the source that `lock` names says of the time: another reference clock by its name, or a
// server or pool by its name, of which the nearest is asked. Nothing while it has no estimate. An
// empty `lock` means what all sources together say, of which `tracking` tells.
std::optional<PulseReference> pulse_reference(std::string_view lock, const SourceTable& sources,
                                              const Members& members, const Tracking& tracking,
                                              LocalTime now);

}  // namespace timepool::ntp
