#include "ntpd/sandbox.h"

#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>

#include "ntpd/clock_record.h"
#include "sys/file.h"
#include "sys/privileges.h"
#include "sys/user.h"

namespace timepool::ntpd {
namespace {

using config::RefclockDriver;
using sys::PathAccess;

// What the system's resolver reads, with the libraries that nsswitch.conf makes it load, the
// zones of time, and what the C library asks about processors and memory. /etc as a whole:
// resolv.conf is replaced by renaming, and a rule for a file ends with that file.
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
// Ports below it need CAP_NET_BIND_SERVICE (ip(7)).
constexpr std::uint16_t kFirstFreePort = 1024;

// Where the simulator of clocks and networks replaces the C library, and files of its own are open.
bool in_network_simulator() {
  return std::getenv("CLKNETSIM_NODE") != nullptr;
}

class Paths {
 public:
  // The directory that `file` is in: files are replaced by renaming. When the file is a link, the
  // directory of what it leads to as well.
  void add_directory_of(const std::string& file, PathAccess access) {
    if (file.empty()) return;
    add(sys::directory_of(file), access);
    // Into memory of ours: the realpath() of chrony's simulator takes no null.
    std::array<char, PATH_MAX> real;
    if (::realpath(file.c_str(), real.data()) == nullptr) return;
    add(sys::directory_of(real.data()), access);
  }
  // What is not there may be made later, and there is no rule for it: then its nearest directory
  // that is.
  void add(const std::string& path, PathAccess access) {
    if (path.empty()) return;
    const sys::PathRule rule{nearest(path), access};
    if (std::find(rules_.begin(), rules_.end(), rule) == rules_.end()) rules_.push_back(rule);
  }
  // To be read, if it is there.
  void add_present(const std::string& path) { rules_.push_back({path, PathAccess::kRead}); }
  std::vector<sys::PathRule> take() { return std::move(rules_); }

 private:
  static std::string nearest(const std::string& path) {
    std::error_code error;
    std::filesystem::path out = path;
    while (out.has_relative_path() && !std::filesystem::exists(out, error)) out = out.parent_path();
    // Never the whole system.
    return out.has_relative_path() ? out.string() : path;
  }

  std::vector<sys::PathRule> rules_;
};

void add_rules(const config::NtpAccessRules& rules, Paths& out) {
  for (const auto* files : {&rules.allow_files, &rules.deny_files}) {
    for (const std::string& file : *files) out.add_directory_of(file, PathAccess::kRead);
  }
}

void add_lists(const config::NtpAccessConfig& access, Paths& out) {
  add_rules(access, out);
  for (const config::NtpInterfaceAccess& one : access.interfaces) add_rules(one, out);
}

std::vector<sys::PathRule> paths_of(const config::NtpdConfig& config,
                                    const std::string& config_path) {
  Paths out;
  for (const char* path : kSystemPaths) out.add_present(path);
  out.add_directory_of(config_path, PathAccess::kRead);
  out.add_directory_of(config.leap_file, PathAccess::kRead);
  out.add_directory_of(config.keys.file, PathAccess::kRead);
  if (const auto cookies = config::wanted_cookies(config.nts)) {
    out.add_directory_of(cookies->file, PathAccess::kWrite);
  }
  if (config.server) add_lists(config.server->access, out);
  if (config.nts.server) {
    for (const config::NtsCertificateConfig& it : config.nts.server->certificates) {
      out.add_directory_of(it.chain, PathAccess::kRead);
      out.add_directory_of(it.key, PathAccess::kRead);
    }
  }
  for (const auto* list : {&config.sources.servers, &config.sources.pools}) {
    for (const config::NtpSourceConfig& source : *list) {
      for (const std::string& file : source.nts_ca) out.add_directory_of(file, PathAccess::kRead);
    }
  }
  for (const std::string& directory : config.sources.directories) {
    out.add(directory, PathAccess::kRead);
  }
  out.add(state_directory(config.state_directory), PathAccess::kWrite);
  if (config.log.any()) out.add(config.log.directory, PathAccess::kWrite);
  if (!config.control.socket.empty()) {
    out.add(sys::directory_of(config.control.socket), PathAccess::kWrite);
  }
  for (const config::NtpRefclockConfig& clock : config.refclocks) {
    const bool device =
        clock.driver == RefclockDriver::kPps || clock.driver == RefclockDriver::kPhc;
    if (device) out.add_directory_of(clock.effective_path(), PathAccess::kDevice);
    if (clock.driver == RefclockDriver::kSock) {
      out.add_directory_of(clock.effective_path(), PathAccess::kWrite);
    }
  }
  if (!config.sources.hardware_timestamps.empty()) out.add("/dev", PathAccess::kDevice);
  return out.take();
}

bool has_driver(const config::NtpdConfig& config, RefclockDriver driver) {
  return std::any_of(config.refclocks.begin(), config.refclocks.end(),
                     [driver](const auto& clock) { return clock.driver == driver; });
}

// Peers' sockets are made as they come, on the port of the server; broadcasts' by a reload; those
// that listen for broadcasts as networks come.
bool shares_low_port(const config::NtpdConfig& config) {
  const bool hears = std::any_of(config.broadcast_clients.begin(), config.broadcast_clients.end(),
                                 [](const auto& client) { return client.port < kFirstFreePort; });
  if (hears) return true;
  if (config.peers.empty() && config.broadcasts.empty()) return false;
  if (!config.server || config.server->listen.empty()) return true;
  return std::any_of(config.server->listen.begin(), config.server->listen.end(),
                     [](const Endpoint& at) { return at.port < kFirstFreePort; });
}

std::vector<int> capabilities_of(const config::NtpdConfig& config) {
  std::vector<int> out;
  const bool steers = config.clock == config::ClockControl::kSteer;
  // PPS_SETPARAMS asks for the same as the clock.
  if (steers || has_driver(config, RefclockDriver::kPps)) out.push_back(CAP_SYS_TIME);
  const std::uint16_t port = config.sources.acquisition_port;
  const bool low = port != 0 && port < kFirstFreePort;
  if (low || shares_low_port(config)) out.push_back(CAP_NET_BIND_SERVICE);
  if (!config.sources.hardware_timestamps.empty()) out.push_back(CAP_NET_ADMIN);
  return out;
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
  const sys::Account account = TRY(sys::account_of(user));
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

SandboxNeeds sandbox_needs(const config::NtpdConfig& config, const std::string& config_path) {
  SandboxNeeds out{paths_of(config, config_path), capabilities_of(config), {}};
  if (config.clock == config::ClockControl::kSteer) out.calls.push_back(sys::SystemCalls::kClock);
  if (has_driver(config, RefclockDriver::kShm)) {
    out.calls.push_back(sys::SystemCalls::kSharedMemory);
  }
  return out;
}

std::vector<std::string> given_up(const SandboxNeeds& kept, const SandboxNeeds& now,
                                  const config::NtpdSandboxConfig& sandbox) {
  std::vector<std::string> out;
  for (const int capability : now.capabilities) {
    if (contains(kept.capabilities, capability)) continue;
    out.push_back("sandbox: " + std::string(name_of_capability(capability)) + " was given up");
  }
  for (const sys::SystemCalls calls : now.calls) {
    if (!sandbox.seccomp || contains(kept.calls, calls)) continue;
    out.push_back(calls == sys::SystemCalls::kClock
                      ? "sandbox.seccomp: the calls that steer the clock were given up"
                      : "sandbox.seccomp: the calls for shared memory were given up");
  }
  for (const sys::PathRule& rule : now.paths) {
    if (!sandbox.landlock || sys::is_covered(kept.paths, rule.path, rule.access)) continue;
    out.push_back("sandbox.landlock: " + rule.path + " is not among what may be opened" +
                  (rule.access == PathAccess::kRead ? "" : " for writing"));
  }
  return out;
}

Result<void> enter_sandbox(const config::NtpdConfig& config, const SandboxNeeds& needs,
                           sys::Logger& logger) {
  if (in_network_simulator()) return {};
  const config::NtpdSandboxConfig& sandbox = config.sandbox;
  if (!sandbox.user.empty() && !config.control.socket.empty()) {
    const Result<void> changed = change_owner(config.control.socket, sandbox.user);
    if (!changed.ok()) return fail(with_setting(changed.error()));
  }
  const Result<void> dropped = sys::drop_privileges({sandbox.user, needs.capabilities});
  if (!dropped.ok()) return fail(with_setting(dropped.error()));
  if (!sys::can_filter_system_calls()) return {};
  std::string parts;
  const auto tell = [&](const char* part, const Result<void>& done) {
    if (!done.ok()) return logger.warning("[sandbox] {}: {}", part, done.error().text());
    parts += std::string(parts.empty() ? "" : " and ") + part;
  };
  if (sandbox.landlock) tell("landlock", sys::restrict_paths(needs.paths));
  if (sandbox.seccomp) tell("seccomp", sys::filter_system_calls(needs.calls));
  // As the kernel has it: what the process did not have to begin with it has not kept either.
  const std::uint64_t held = TRY(sys::effective_capabilities());
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

}  // namespace timepool::ntpd
