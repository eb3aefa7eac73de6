#include "ntpd/sandbox.h"

#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "net/trust_anchors.h"
#include "ntpd/acme_settings.h"
#include "ntpd/clock_record.h"
#include "sys/file.h"

namespace timepool::ntpd {
namespace {

using config::RefclockDriver;
using sys::PathAccess;

// Ports below it need CAP_NET_BIND_SERVICE (ip(7)).
constexpr std::uint16_t kFirstFreePort = 1024;

void add_rules(const config::NtpAccessRules& rules, sys::SandboxPaths& out) {
  for (const auto* files : {&rules.allow_files, &rules.deny_files}) {
    for (const std::string& file : *files) out.add_directory_of(file, PathAccess::kRead);
  }
}

void add_lists(const config::NtpAccessConfig& access, sys::SandboxPaths& out) {
  add_rules(access, out);
  for (const config::NtpInterfaceAccess& one : access.interfaces) add_rules(one, out);
}

// Where pools have SRV records, or a file of a directory may bring one.
void add_trust_anchors(const config::NtpdConfig& config, sys::SandboxPaths& out) {
  const auto& pools = config.sources.pools;
  const bool wanted = std::any_of(pools.begin(), pools.end(), [](const auto& pool) {
    return pool.nts == config::NtsUse::kSrv || pool.nts == config::NtsUse::kAuto;
  });
  if (!wanted && config.sources.directories.empty()) return;
  const auto srv = config.nts.srv.value_or(config::NtsSrvConfig{});
  for (const std::string& file : srv.trust_anchors) out.add_directory_of(file, PathAccess::kRead);
  if (!srv.trust_anchors.empty()) return;
  for (const char* file : net::kRootAnchorFiles) {
    if (::access(file, F_OK) == 0) out.add_directory_of(file, PathAccess::kRead);
  }
}

void add_acme(const config::NtpdConfig& config, sys::SandboxPaths& out) {
  if (!config.nts.acme) return;
  const config::NtsAcmeConfig& acme = *config.nts.acme;
  out.add(acme_store(config), PathAccess::kWrite);
  out.add(acme.webroot, PathAccess::kWrite);
  for (const config::NtsAcmeAuthorityConfig& it : acme.authorities) {
    out.add_directory_of(it.ca_file, PathAccess::kRead);
    out.add_directory_of(it.external_key_file, PathAccess::kRead);
  }
}

std::vector<sys::PathRule> paths_of(const config::NtpdConfig& config,
                                    const std::string& config_path) {
  sys::SandboxPaths out;
  out.add_system();
  out.add_directory_of(config_path, PathAccess::kRead);
  out.add_directory_of(config.leap_file, PathAccess::kRead);
  out.add_directory_of(config.keys.file, PathAccess::kRead);
  if (const auto cookies = config::wanted_cookies(config.nts)) {
    out.add_directory_of(cookies->file, PathAccess::kWrite);
  }
  if (config.nts.client) out.add_directory_of(config.nts.client->file, PathAccess::kWrite);
  if (config.server) add_lists(config.server->access, out);
  if (config.nts.server) {
    for (const config::NtsCertificateConfig& it : config.nts.server->certificates) {
      out.add_directory_of(it.chain, PathAccess::kRead);
      out.add_directory_of(it.key, PathAccess::kRead);
    }
  }
  add_acme(config, out);
  add_trust_anchors(config, out);
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

}  // namespace

bool in_network_simulator() {
  return std::getenv("CLKNETSIM_NODE") != nullptr;
}

SandboxNeeds sandbox_needs(const config::NtpdConfig& config, const std::string& config_path) {
  SandboxNeeds out{paths_of(config, config_path), capabilities_of(config), {}};
  if (config.clock == config::ClockControl::kSteer) out.calls.push_back(sys::SystemCalls::kClock);
  if (has_driver(config, RefclockDriver::kShm)) {
    out.calls.push_back(sys::SystemCalls::kSharedMemory);
  }
  return out;
}

Result<void> enter_sandbox(const config::NtpdConfig& config, const SandboxNeeds& needs,
                           sys::Logger& logger) {
  if (in_network_simulator()) return {};
  return sys::enter_sandbox(config.sandbox, needs, config.control.socket, logger);
}

}  // namespace timepool::ntpd
