// What [nts.acme] means to the library of certificates.
#pragma once

#include <string>

#include "base/result.h"
#include "certificates/keeper.h"
#include "config/ntpd.h"

namespace timepool::ntpd {

// The directory of keys, certificate and state; empty when there is none.
std::string acme_store(const config::NtpdConfig& config);

// `store`: acme_store()'s. Reads the keys of external accounts. Errors name the setting: a name
// that is none, a key that can't be read.
Result<certificates::KeeperSettings> acme_settings(const config::NtsAcmeConfig& config,
                                                   const std::string& store);

}  // namespace timepool::ntpd
