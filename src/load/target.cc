#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <string>

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

enum class Namespace { kSame, kOther, kUnknown };

// Whether this process's network namespace is another than that of process `pid`.
Namespace compare_network(pid_t pid) {
  struct stat mine{};
  struct stat other{};
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/net";
  if (::stat("/proc/self/ns/net", &mine) != 0 || ::stat(path.c_str(), &other) != 0) {
    return Namespace::kUnknown;
  }
  const bool same = mine.st_ino == other.st_ino && mine.st_dev == other.st_dev;
  return same ? Namespace::kSame : Namespace::kOther;
}

// 0 when it can't be read.
pid_t parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string key;
  while (file >> key) {
    pid_t parent = 0;
    if (key == "PPid:") return file >> parent ? parent : 0;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

// Whether this process's network namespace is another than that of process 1, or where that can't
// be read, of one of those that it descends from. What can't be read counts as the same.
bool in_own_network_namespace() {
  if (const Namespace first = compare_network(1); first != Namespace::kUnknown) {
    return first == Namespace::kOther;
  }
  constexpr int kMaxAncestors = 64;
  pid_t pid = ::getppid();
  for (int i = 0; i < kMaxAncestors && pid > 1; ++i, pid = parent_of(pid)) {
    if (compare_network(pid) == Namespace::kOther) return true;
  }
  return false;
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
