// The body of POST /v1/handed-out:
// {"counts":[{"zone":"pool.test.","address":"192.0.2.1","count":17},...]}.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "service/handed_out.h"

namespace timepool::web {

// Errors: kInvalid, naming the field; then none of the batch counts.
Result<std::vector<service::HandedOutCount>> parse_handed_out(std::string_view body);

}  // namespace timepool::web
