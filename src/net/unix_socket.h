// Unix stream sockets by path: listen with a file mode and care for a stale file, connect.
#pragma once

#include <string>

#include "base/duration.h"
#include "base/result.h"
#include "sys/fd.h"

namespace timepool::net {

// Listens at `path`, whose file gets `mode` from the start. A socket file that nobody answers is
// replaced. Non-blocking. Errors: somebody listens there, another kind of file, a path of more than
// 107 bytes, no such directory.
Result<sys::Fd> listen_unix(const std::string& path, unsigned mode, int backlog = 16);
// Connected and non-blocking. Blocks for `patience` at the most while as many wait already as the
// listener lets.
Result<sys::Fd> connect_unix(const std::string& path, Duration patience = {});

}  // namespace timepool::net
