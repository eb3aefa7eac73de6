// Listening stream sockets (TCP), and the address that a socket is bound to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "sys/fd.h"

namespace timepool::sys {

// What the connections of a listening socket have from it. What the system does not know of them it
// does without.
struct StreamOptions {
  // Without it the second of two small answers waits for the client's delayed acknowledgement,
  // 40 ms.
  bool no_delay = false;
  int send_buffer = 0;     // octets; 0: the system's default
  int receive_buffer = 0;  // octets; 0: the system's default
  // TCP fast open (RFC 7413): connections that are not acknowledged yet but bring octets; 0: none.
  int fast_open = 0;
  // A connection that brings nothing is noticed after so many seconds only; 0: at once.
  int defer_seconds = 0;
};

struct ListenOptions {
  // Connections that nobody has taken yet, at the most; the system's own limit is 4096 mostly.
  int backlog = 16;
  // accept() waits for a connection: for programs that do nothing else.
  bool blocking = false;
  StreamOptions stream{};
};

// A socket that listens at `at`; port 0 takes a free one. An address whose last connections are
// still in TIME_WAIT is free, and IPv6 sockets take IPv6 only. Errors: `what` as the operation.
Result<Fd> listen_stream(const Endpoint& at, const std::string& what,
                         const ListenOptions& options = {});

// Where a server listens that is to be reached at every address of the machine: at `port` of IPv4,
// and of IPv6 where the system has it.
std::vector<Endpoint> every_address(std::uint16_t port);

// For a listening socket that another process made.
void set_stream_options(int fd, const StreamOptions& options);

// What any socket of IPv4 or IPv6 is bound to, with the port that the system chose. Errors: the
// system's; kInvalid for a socket of another family.
Result<Endpoint> local_endpoint(int fd);

}  // namespace timepool::sys
