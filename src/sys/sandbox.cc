#include "sys/sandbox.h"

#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "sys/file.h"
#include "sys/privileges.h"
#include "sys/user.h"

namespace timepool::sys {
namespace {

// /etc as a whole: resolv.conf is replaced by renaming, and a rule for a file ends with that file.
constexpr std::array kSystemPaths{"/etc",
                                  "/usr/lib",
                                  "/usr/lib64",
                                  "/lib",
                                  "/lib64",
                                  "/usr/local/lib",
                                  "/usr/share/zoneinfo",
                                  "/usr/share/libc-bin",
                                  "/run/systemd/resolve",
                                  "/run/resolvconf",
                                  "/run/NetworkManager",
                                  "/run/connman",
                                  "/sys/devices/system/cpu",
                                  "/proc/sys/vm/overcommit_memory",
                                  "/proc/sys/kernel/random/boot_id",
                                  "/dev/urandom",
                                  "/dev/random",
                                  "/dev/null"};

std::string nearest(const std::string& path) {
  std::error_code error;
  std::filesystem::path out = path;
  while (out.has_relative_path() && !std::filesystem::exists(out, error)) out = out.parent_path();
  // Never the whole system.
  return out.has_relative_path() ? out.string() : path;
}

std::string_view name_of_capability(int capability) {
  switch (capability) {
    case CAP_SYS_TIME:
      return "CAP_SYS_TIME";
    case CAP_NET_BIND_SERVICE:
      return "CAP_NET_BIND_SERVICE";
    default:
      return "CAP_NET_ADMIN";
  }
}

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

Result<void> change_owner(const std::string& path, const std::string& user) {
  const Account account = TRY(account_of(user));
  if (account.user == ::geteuid()) return {};
  if (::chown(path.c_str(), account.user, account.group) < 0) {
    return fail(system_error(errno, "give " + path + " to user " + user));
  }
  return {};
}

// The error's text names the setting.
Error with_setting(Error error) {
  error.operation = "[sandbox] user: " + error.operation;
  return error;
}

}  // namespace

void SandboxPaths::add_system() {
  for (const char* path : kSystemPaths) rules_.push_back({path, PathAccess::kRead});
}

void SandboxPaths::add_directory_of(const std::string& file, PathAccess access) {
  if (file.empty()) return;
  add(directory_of(file), access);
  // Into memory of ours: the realpath() of chrony's simulator takes no null.
  std::array<char, PATH_MAX> real;
  if (::realpath(file.c_str(), real.data()) == nullptr) return;
  add(directory_of(real.data()), access);
}

void SandboxPaths::add(const std::string& path, PathAccess access) {
  if (path.empty()) return;
  const PathRule rule{nearest(path), access};
  if (std::find(rules_.begin(), rules_.end(), rule) == rules_.end()) rules_.push_back(rule);
}

std::vector<std::string> given_up(const SandboxNeeds& kept, const SandboxNeeds& now,
                                  const SandboxSettings& settings) {
  std::vector<std::string> out;
  for (const int capability : now.capabilities) {
    if (contains(kept.capabilities, capability)) continue;
    out.push_back("sandbox: " + std::string(name_of_capability(capability)) + " was given up");
  }
  for (const SystemCalls calls : now.calls) {
    if (!settings.seccomp || contains(kept.calls, calls)) continue;
    out.push_back(calls == SystemCalls::kClock
                      ? "sandbox.seccomp: the calls that steer the clock were given up"
                      : "sandbox.seccomp: the calls for shared memory were given up");
  }
  for (const PathRule& rule : now.paths) {
    if (!settings.landlock || is_covered(kept.paths, rule.path, rule.access)) continue;
    out.push_back("sandbox.landlock: " + rule.path + " is not among what may be opened" +
                  (rule.access == PathAccess::kRead ? "" : " for writing"));
  }
  return out;
}

Result<void> enter_sandbox(const SandboxSettings& settings, const SandboxNeeds& needs,
                           const std::string& control_socket, Logger& logger) {
  if (!settings.user.empty() && !control_socket.empty()) {
    const Result<void> changed = change_owner(control_socket, settings.user);
    if (!changed.ok()) return fail(with_setting(changed.error()));
  }
  const Result<void> dropped = drop_privileges({settings.user, needs.capabilities});
  if (!dropped.ok()) return fail(with_setting(dropped.error()));
  if (!can_filter_system_calls()) return {};
  std::string parts;
  const auto tell = [&](const char* part, const Result<void>& done) {
    if (!done.ok()) return logger.warning("[sandbox] {}: {}", part, done.error().text());
    parts += std::string(parts.empty() ? "" : " and ") + part;
  };
  if (settings.landlock) tell("landlock", restrict_paths(needs.paths));
  if (settings.seccomp) tell("seccomp", filter_system_calls(needs.calls));
  // As the kernel has it: what the process did not have to begin with it has not kept either.
  const std::uint64_t held = TRY(effective_capabilities());
  std::string capabilities;
  for (const int kept : needs.capabilities) {
    if ((held >> kept & 1) == 0) continue;
    capabilities +=
        std::string(capabilities.empty() ? "" : ", ") + std::string(name_of_capability(kept));
  }
  logger.info("restricted by {}; user {}, capabilities {}", parts.empty() ? "nothing" : parts,
              ::geteuid(), capabilities.empty() ? "none" : capabilities);
  return {};
}

}  // namespace timepool::sys
