// What a monitor found of a server's NTS, taken in: the check is stored, and what follows from it
// for the server's state. Works inside the caller's transaction.
#pragma once

#include <cstdint>

#include "service/intake.h"
#include "service/settings.h"
#include "store/db.h"

namespace timepool::service {

// `time`: of the check.
Result<NtsTaken> take_nts(store::Tx& tx, const Settings& settings, std::int64_t monitor,
                          std::int64_t server, const ReportedNts& report, UnixTime time,
                          UnixTime now);

}  // namespace timepool::service
