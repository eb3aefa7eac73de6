// Error: what the system, a file or a peer refused, as text for a person. Made where it happens,
// passed up, logged once where it is handled. Packet paths use one-byte enums instead.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace timepool {

enum class ErrorCode : unsigned char {
  kInvalid,      // the input is malformed; detail says where
  kNotFound,     // there is no such thing
  kExists,       // there is such a thing already
  kDenied,       // not allowed (permissions, authentication)
  kUnavailable,  // may work later: refused, unreachable, timed out, locked
  kExhausted,    // a named limit or the disk is full
  kSystem,       // anything else that the system reports
  kCorrupt,      // stored data is damaged or fails its signature
};

// The code's name as it stands in JSON: "invalid", "not_found", ...
std::string_view name_of(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kSystem;
  std::string operation;  // what was tried: "bind [server] listen 127.0.0.1:123"
  std::string detail;     // why it failed, and what to do: "address already in use"

  // "operation: detail"
  std::string text() const;
};

// The error of `errno_value`, its code mapped from the value, its detail strerror's text.
Error system_error(int errno_value, std::string operation);

}  // namespace timepool
