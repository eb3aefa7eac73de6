// The body of POST /v1/results. A fault in one result's form is told in that result, so that one
// bad result does not hold up a monitor's whole batch; a fault of the batch is an error.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "service/intake.h"

namespace timepool::web {

Result<std::vector<service::ReportedResult>> parse_results(std::string_view body);

}  // namespace timepool::web
