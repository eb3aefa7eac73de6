// timepool ntp cookie-seed: the first file of [nts.cookies] for servers that share their keys.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace timepool::cli {

// The file's text, of the system's randomness, for the epoch of `now`. `rotation` is a duration as
// in the configuration, a day if it is left out. Errors: kInvalid when it is none, or out of
// bounds.
Result<std::string> cookie_seed(const std::optional<std::string>& rotation, UnixTime now);

}  // namespace timepool::cli
