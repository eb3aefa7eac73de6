// The ACME authority of a pool that `timepool up` runs: pebble, a test server that others wrote,
// with the certificate of its own HTTPS, which is made here, and the root that it makes for itself
// at each start.
#pragma once

#include <string>
#include <vector>

#include "base/duration.h"
#include "base/result.h"
#include "up/plan.h"

namespace timepool::up {

// The program: `given`, else "pebble" in PATH; empty when there is none. Errors: kNotFound for one
// that was given and can't be run.
Result<std::string> find_pebble(const std::optional<std::string>& given);

// All of these need plan.nts.

// authority.json and its certificate. Errors: the system's.
Result<void> write_authority_files(const Plan& plan);
std::vector<std::string> authority_command(const Plan& plan);
// Its settings as environment: it is not to be slow, nor to refuse what was right.
std::vector<std::string> authority_environment();
// Adds its root to plan.roots_file(), where the roots of former runs are: certificates that they
// signed are still good. Errors: it does not answer within `timeout`.
Result<void> keep_root(const Plan& plan, Duration timeout);

}  // namespace timepool::up
