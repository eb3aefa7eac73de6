// The commands of the control socket that change what is done with sources: online, offline, burst.
#pragma once

#include <functional>

#include "net/control.h"
#include "ntpd/time_client.h"

namespace timepool::ntpd {

// `client` gives the client as it is now, or null.
void add_source_commands(net::ControlServer& control, std::function<TimeClient*()> client);

}  // namespace timepool::ntpd
