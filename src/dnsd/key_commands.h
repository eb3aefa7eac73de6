// The commands of the control socket that `timepool dns keys` uses.
#pragma once

#include "dnsd/key_keeper.h"
#include "net/control.h"

namespace timepool::dnsd {

// `keeper` must live as long as the server.
void add_key_commands(net::ControlServer& control, KeyKeeper& keeper);

}  // namespace timepool::dnsd
