// The commands of the control socket that change what is done with sources: online, offline, burst,
// add, remove.
#pragma once

#include <functional>

#include "net/control.h"
#include "ntpd/time_client.h"

namespace timepool::ntpd {

// `client` gives the client as it is now, or null; `needed` makes one where there is none.
void add_source_commands(net::ControlServer& control, std::function<TimeClient*()> client,
                         std::function<Result<TimeClient*>()> needed);

}  // namespace timepool::ntpd
