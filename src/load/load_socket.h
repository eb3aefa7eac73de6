// Sockets and placement of the load programs: connected and bound UDP sockets with large buffers,
// the thread on one processor.
#pragma once

#include <optional>

#include "base/ip.h"
#include "base/result.h"
#include "sys/fd.h"

namespace timepool::load {

// A UDP socket on a port that the system chooses, and on `source` where that is given, connected to
// `target`. The buffer is what the system allows up to `receive_buffer` bytes.
Result<sys::Fd> connected_socket(const Endpoint& target, int receive_buffer,
                                 const std::optional<IpAddress>& source = std::nullopt);
// A UDP socket bound to `listen`.
Result<sys::Fd> bound_socket(const Endpoint& listen, int receive_buffer);
// Pins the calling thread when a processor is given. Errors: kInvalid when there is no such one.
Result<void> pin_to_cpu(std::optional<int> cpu);

}  // namespace timepool::load
