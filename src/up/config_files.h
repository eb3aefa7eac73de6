// The configuration files of the programs that `timepool up` starts, made through the programs' own
// schemas: a setting that a program does not know can't get into its file. The fast profile:
// seconds where a real pool has minutes; rules and thresholds are the real ones.
#pragma once

#include <string>

#include "up/plan.h"

namespace timepool::up {

// Interval of each monitor's checks of each server.
inline constexpr Duration kCheckInterval = Duration::milliseconds(1500);

std::string poold_toml(const Plan& plan);
std::string dnsd_toml(const Plan& plan, const std::string& public_key_hex);
std::string ntpd_toml(const Plan& plan, const PlannedServer& server);
// The client that finds its sources by the pool's name.
std::string client_toml(const Plan& plan);
// The one that finds them by SRV records and asks them under NTS.
std::string nts_client_toml(const Plan& plan);
std::string monitord_toml(const Plan& plan, int number);

}  // namespace timepool::up
