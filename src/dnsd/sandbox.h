// What timepool-dnsd needs once it has opened its sockets, from its settings: no capability, and
// the files that it reads again and writes.
#pragma once

#include <string>

#include "config/dnsd.h"
#include "sys/sandbox.h"

namespace timepool::dnsd {

// `config_path` is read again on reload.
sys::SandboxNeeds sandbox_needs(const config::DnsdConfig& config, const std::string& config_path);

}  // namespace timepool::dnsd
