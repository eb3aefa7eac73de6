// `timepool up`: a whole pool on this machine from real programs, in its own directory, without
// root.
#pragma once

#include "up/plan.h"

namespace timepool::up {

// Runs until exit_after, SIGINT or SIGTERM; then tells the summary and ends every child. The exit
// status: 0, or 1 with the reason on standard error.
int run_up(const UpOptions& options);

}  // namespace timepool::up
