// The parts of `timepool bench` for connections: DNS over TCP and TLS, and the least that a server
// of TLS can do.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/args.h"
#include "load/traffic.h"

namespace timepool::cli {

void add_dns_streams(Command& bench);
void add_tls_limit(Command& bench);

// Questions of a file, one a line: NAME [TYPE]. Errors: it is not there; the line that is wrong.
Result<std::vector<load::DnsQuestion>> read_questions(const std::string& path);

}  // namespace timepool::cli
