#include "up/up.h"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "sys/clock.h"
#include "sys/signal_flag.h"
#include "up/authority.h"
#include "up/directory.h"
#include "up/display.h"
#include "up/pool_runner.h"
#include "up/ports.h"

namespace timepool::up {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kLoopback = 0x7f000001;
constexpr std::uint16_t kHttpPort = 8080;
constexpr std::uint16_t kDnsPort = 5300;
constexpr int kNtpPort = 11123;
constexpr std::uint16_t kKeyPort = 11460;
constexpr std::uint16_t kChallengePort = 11080;
constexpr std::uint16_t kAuthorityPort = 11443;  // and the next one

int failed(const Error& error) {
  std::fprintf(stderr, "timepool up: %s\n", error.text().c_str());
  return 1;
}

// Whether standard output is a pipe whose reader is gone, as after `timepool up | head`: a pool
// that nobody sees would run on without end.
bool nobody_reads() {
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

// The directory of this program: the others stand beside it.
Result<std::string> own_directory() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return fail(system_error(error.value(), "read /proc/self/exe"));
  const std::string directory = self.parent_path().string();
  for (const char* name :
       {"timepool-poold", "timepool-dnsd", "timepool-ntpd", "timepool-monitord"}) {
    if (::access((directory + "/" + name).c_str(), X_OK) != 0) {
      return fail(Error{ErrorCode::kNotFound, directory + "/" + name,
                        "it must stand beside timepool: build or install all of the programs"});
    }
  }
  return directory;
}

Result<Endpoint> choose(const std::optional<Endpoint>& given, std::uint16_t default_port,
                        Transport transport, const std::string& option) {
  Endpoint out = given.value_or(Endpoint{IpAddress::v4(kLoopback), default_port});
  out.port = TRY(free_port({out.address}, out.port, transport, option));
  return out;
}

// The usual port, by which a second run goes on as the first did, or another one that is free.
Result<std::uint16_t> usual_port(const std::vector<IpAddress>& addresses, std::uint16_t usual) {
  const auto port = free_port(addresses, usual, Transport::kTcp, "");
  return port.ok() ? *port : TRY(free_port(addresses, 0, Transport::kTcp, ""));
}

// Nothing without pebble.
Result<std::optional<NtsPlan>> plan_nts(const UpOptions& options) {
  if (options.no_nts) return std::optional<NtsPlan>();
  NtsPlan out;
  out.pebble = TRY(find_pebble(options.pebble));
  if (out.pebble.empty()) return std::optional<NtsPlan>();
  std::vector<IpAddress> members;
  members.reserve(kNtsMembers);
  for (const PlannedServer& server : plan_servers(options.servers, false, true)) {
    if (!server.nts_name.empty()) members.push_back(server.address);
  }
  const std::vector<IpAddress> local = {IpAddress::v4(kLoopback)};
  out.key_port = TRY(usual_port(members, kKeyPort));
  out.challenge_port = TRY(usual_port(members, kChallengePort));
  out.authority_port = TRY(usual_port(local, kAuthorityPort));
  out.management_port = TRY(usual_port(local, kAuthorityPort + 1));
  return std::optional<NtsPlan>(std::move(out));
}

Result<Plan> make_plan(const UpOptions& options, const PoolDirectory& directory) {
  Plan plan;
  plan.programs = TRY(own_directory());
  plan.directory = directory.path();
  plan.temporary = directory.temporary();
  plan.geoip = options.geoip;
  if (plan.geoip && ::access(plan.geoip->c_str(), R_OK) != 0) {
    return fail(Error{ErrorCode::kNotFound, "--geoip " + *plan.geoip, "can't be read"});
  }
  plan.http = TRY(choose(options.http, kHttpPort, Transport::kTcp, "--http ADDR:PORT"));
  plan.dns = TRY(choose(options.dns, kDnsPort, Transport::kBoth, "--dns ADDR:PORT"));
  plan.nts = TRY(plan_nts(options));
  plan.servers = plan_servers(options.servers, has_ipv6_loopback(), plan.nts.has_value());
  std::vector<IpAddress> addresses;
  for (const PlannedServer& server : plan.servers) addresses.push_back(server.address);
  plan.ntp_port =
      TRY(free_port(addresses, static_cast<std::uint16_t>(options.ntp_port.value_or(kNtpPort)),
                    Transport::kUdp, "--ntp-port N"));
  return plan;
}

void tell_what_is_missing(const UpOptions& options, const Plan& plan, Display& display) {
  if (!plan.geoip) {
    display.event("note", {{"text",
                            "without --geoip FILE no client has a country: all get the global "
                            "zone"}});
  }
  if (!options.no_nts && !plan.nts) {
    display.event("note", {{"text",
                            "no NTS: pebble, the test authority for its certificates, is neither "
                            "in PATH nor given by --pebble FILE (Debian package pebble; ./dev up "
                            "gets it). --no-nts leaves this out"}});
  }
}

Result<void> run_pool(const UpOptions& options, const Plan& plan, Display& display) {
  const MonoTime start = sys::mono_now();
  const auto stopping = [&] {
    return nobody_reads() || sys::signal_pending(SIGINT) || sys::signal_pending(SIGTERM) ||
           (options.exit_after && sys::mono_now() - start >= *options.exit_after);
  };
  PoolRunner runner(plan, display, stopping);
  tell_what_is_missing(options, plan, display);
  TRY(runner.start());
  TRY(runner.run());
  display.summary(runner.summary());
  return {};
}

}  // namespace

int run_up(const UpOptions& options) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const auto caught = sys::catch_signal(signal);
    if (!caught.ok()) return failed(caught.error());
  }
  auto directory = PoolDirectory::open(options.directory);
  if (!directory.ok()) return failed(directory.error());
  const auto plan = make_plan(options, *directory);
  if (!plan.ok()) return failed(plan.error());
  const std::unique_ptr<Display> display =
      options.json ? make_json_display() : make_text_display(*plan, ::isatty(STDOUT_FILENO) == 1);
  const auto done = run_pool(options, *plan, *display);
  return done.ok() ? 0 : failed(done.error());
}

}  // namespace timepool::up
