// end_of_errno: what an error of a socket says of a connection, for those who tell it by an enum of
// their own.
#pragma once

#include <cerrno>

namespace timepool::net {

// `End` has kRefused (nobody listens there), kUnreachable (no way there), kTimeout, kEnded (by the
// other side) and kSystem (all else).
template <class End>
End end_of_errno(int value) {
  switch (value) {
    case ECONNREFUSED:
      return End::kRefused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case EACCES:
    case EPERM:
      return End::kUnreachable;
    case ETIMEDOUT:
      return End::kTimeout;
    case ECONNRESET:
    case EPIPE:
      return End::kEnded;
    default:
      return End::kSystem;
  }
}

}  // namespace timepool::net
