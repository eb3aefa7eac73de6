#include <sys/stat.h>

#include "load/generator.h"

namespace timepool::load {
namespace {

// RFC 1918, RFC 3927, RFC 4193, RFC 4291 2.5.6.
bool is_private(const IpAddress& address) {
  for (const char* text : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                           "fc00::/7", "fe80::/10"}) {
    if (parse_prefix(text).value().contains(address)) return true;
  }
  return false;
}

// Whether this process's network namespace is another than that of process 1. What can't be read
// counts as the same.
bool in_own_network_namespace() {
  struct stat mine{};
  struct stat first{};
  if (::stat("/proc/self/ns/net", &mine) != 0 || ::stat("/proc/1/ns/net", &first) != 0)
    return false;
  return mine.st_ino != first.st_ino || mine.st_dev != first.st_dev;
}

}  // namespace

Result<void> check_target(const IpAddress& target, bool allow_private) {
  if (target.is_loopback()) return {};
  const std::string operation = "load against " + format(target);
  if (!allow_private) {
    return fail(Error{ErrorCode::kDenied, operation,
                      "only loopback addresses are allowed; --allow-private admits private ones "
                      "inside a network namespace"});
  }
  if (!is_private(target)) {
    return fail(
        Error{ErrorCode::kDenied, operation, "the address is neither loopback nor private"});
  }
  if (!in_own_network_namespace()) {
    return fail(Error{ErrorCode::kDenied, operation,
                      "--allow-private works only inside a network namespace other than the "
                      "machine's (ip netns exec NAME timepool bench ...)"});
  }
  return {};
}

}  // namespace timepool::load
