#include "base/error.h"

#include <array>
#include <cerrno>
#include <cstring>

namespace timepool {
namespace {

ErrorCode code_of(int errno_value) {
  switch (errno_value) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kDenied;
    case EINVAL:
    case ENAMETOOLONG:
      return ErrorCode::kInvalid;
    case EAGAIN:
    case EADDRINUSE:
    case EADDRNOTAVAIL:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT:
      return ErrorCode::kUnavailable;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::kExhausted;
    default:
      return ErrorCode::kSystem;
  }
}

}  // namespace

std::string_view name_of(ErrorCode code) {
  constexpr std::array<std::string_view, 8> kNames{"invalid",     "not_found", "exists", "denied",
                                                   "unavailable", "exhausted", "system", "corrupt"};
  return kNames[static_cast<std::size_t>(code)];
}

std::string Error::text() const {
  return detail.empty() ? operation : operation + ": " + detail;
}

Error system_error(int errno_value, std::string operation) {
  std::array<char, 128> buffer{};
  // GNU strerror_r: may return a static string instead of filling the buffer.
  const char* text = ::strerror_r(errno_value, buffer.data(), buffer.size());
  return {code_of(errno_value), std::move(operation), text};
}

}  // namespace timepool
