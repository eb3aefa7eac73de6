#include "ntpd/sandbox.h"
#include "sys/temporary_directory.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <cstdlib>
#include <filesystem>

namespace timepool::ntpd {
namespace {

using sys::PathAccess;

config::NtpRefclockConfig refclock(config::RefclockDriver driver, std::string path = "") {
  config::NtpRefclockConfig out;
  out.driver = driver;
  out.path = std::move(path);
  return out;
}

bool may(const SandboxNeeds& needs, const std::string& path, PathAccess access) {
  return sys::is_covered(needs.paths, path, access);
}

TEST(Sandbox, a_plain_server_keeps_no_capability_and_writes_beside_its_socket_only) {
  config::NtpdConfig config;
  config.server.emplace();
  const SandboxNeeds needs = sandbox_needs(config, "/srv/timepool/ntpd.toml");
  EXPECT_TRUE(needs.capabilities.empty());
  EXPECT_TRUE(needs.calls.empty());
  EXPECT_TRUE(may(needs, "/srv/timepool/ntpd.d/10.toml", PathAccess::kRead));
  EXPECT_TRUE(may(needs, "/etc/resolv.conf", PathAccess::kRead));
  EXPECT_TRUE(may(needs, "/run/timepool/ntpd.sock", PathAccess::kWrite));
  for (const char* path : {"/", "/root/.ssh/id", "/home", "/var/lib/other", "/proc", "/tmp/x"}) {
    EXPECT_FALSE(may(needs, path, PathAccess::kRead)) << path;
  }
  for (const char* path : {"/etc/passwd", "/srv/timepool/ntpd.toml", "/usr/lib/x.so"}) {
    EXPECT_FALSE(may(needs, path, PathAccess::kWrite)) << path;
  }
  EXPECT_FALSE(may(needs, "/dev/pps0", PathAccess::kDevice));
}

class SandboxOfSettings : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"state", "log", "gps", "leap", "sources.d"}) {
      std::filesystem::create_directory(root_ + "/" + name);
    }
  }
  sys::TemporaryDirectory temporary_;
  std::string root_ = temporary_.path();
};

TEST(Sandbox, who_listens_for_broadcasts_on_a_low_port_keeps_the_right_to) {
  config::NtpdConfig config;
  config.broadcast_clients.emplace_back();
  EXPECT_EQ(sandbox_needs(config, "/etc/timepool/ntpd.toml").capabilities,
            std::vector<int>{CAP_NET_BIND_SERVICE});
  config.broadcast_clients[0].port = 1123;
  EXPECT_TRUE(sandbox_needs(config, "/etc/timepool/ntpd.toml").capabilities.empty());
}

TEST(Sandbox, who_makes_sockets_on_a_low_port_later_keeps_the_right_to) {
  config::NtpdConfig config;
  config.server.emplace();
  config.server->listen = {{IpAddress::any(IpFamily::kV4), 1123, 0}};
  config.peers.emplace_back();
  EXPECT_TRUE(sandbox_needs(config, "/etc/timepool/ntpd.toml").capabilities.empty());
  config.server->listen[0].port = 123;
  EXPECT_EQ(sandbox_needs(config, "/etc/timepool/ntpd.toml").capabilities,
            std::vector<int>{CAP_NET_BIND_SERVICE});
}

TEST_F(SandboxOfSettings, what_they_name_may_be_used) {
  config::NtpdConfig config;
  config.clock = config::ClockControl::kSteer;
  config.state_directory = root_ + "/state";
  config.leap_file = root_ + "/leap/leap-seconds.list";
  config.log.directory = root_ + "/log";
  config.log.tracking = true;
  config.sources.directories = {root_ + "/sources.d"};
  config.sources.acquisition_port = 123;
  config.sources.hardware_timestamps = {"auto"};
  config.refclocks = {refclock(config::RefclockDriver::kShm),
                      refclock(config::RefclockDriver::kPps),
                      refclock(config::RefclockDriver::kSock, root_ + "/gps/gps.sock")};
  const SandboxNeeds needs = sandbox_needs(config, "/etc/timepool/ntpd.toml");
  EXPECT_EQ(needs.capabilities,
            (std::vector<int>{CAP_SYS_TIME, CAP_NET_BIND_SERVICE, CAP_NET_ADMIN}));
  EXPECT_EQ(needs.calls, (std::vector<sys::SystemCalls>{sys::SystemCalls::kClock,
                                                        sys::SystemCalls::kSharedMemory}));
  EXPECT_TRUE(may(needs, root_ + "/state/clock.json", PathAccess::kWrite));
  EXPECT_TRUE(may(needs, root_ + "/log/tracking.log", PathAccess::kWrite));
  EXPECT_TRUE(may(needs, root_ + "/gps/gps.sock", PathAccess::kWrite));
  EXPECT_TRUE(may(needs, root_ + "/leap/leap-seconds.list", PathAccess::kRead));
  EXPECT_TRUE(may(needs, root_ + "/sources.d/dhcp.toml", PathAccess::kRead));
  EXPECT_FALSE(may(needs, root_ + "/sources.d/dhcp.toml", PathAccess::kWrite));
  EXPECT_FALSE(may(needs, root_ + "/other", PathAccess::kRead));
  EXPECT_TRUE(may(needs, "/dev/pps0", PathAccess::kDevice));
  EXPECT_FALSE(may(needs, "/dev/pps0", PathAccess::kWrite));
}

TEST_F(SandboxOfSettings, a_directory_that_is_made_later_may_be_used_below_the_one_that_is_there) {
  config::NtpdConfig config;
  config.log.directory = root_ + "/log/later/still";
  config.log.tracking = true;
  const SandboxNeeds needs = sandbox_needs(config, "/etc/timepool/ntpd.toml");
  EXPECT_TRUE(may(needs, root_ + "/log/later/still/tracking.log", PathAccess::kWrite));
  EXPECT_FALSE(may(needs, root_ + "/state", PathAccess::kWrite));
}

TEST(Sandbox, a_reload_is_told_what_was_given_up) {
  const config::NtpdConfig before;
  const SandboxNeeds kept = sandbox_needs(before, "/etc/timepool/ntpd.toml");
  EXPECT_TRUE(given_up(kept, kept, sys::SandboxSettings()).empty());
  config::NtpdConfig after;
  after.clock = config::ClockControl::kSteer;
  after.leap_file = "/opt/leap-seconds.list";
  after.log.directory = "/var/log/not-there";
  after.log.measurements = true;
  after.refclocks = {refclock(config::RefclockDriver::kShm)};
  sys::SandboxSettings sandbox;
  const SandboxNeeds needs = sandbox_needs(after, "/etc/timepool/ntpd.toml");
  EXPECT_EQ(given_up(kept, needs, sandbox),
            (std::vector<std::string>{
                "sandbox: CAP_SYS_TIME was given up",
                "sandbox.seccomp: the calls that steer the clock were given up",
                "sandbox.seccomp: the calls for shared memory were given up",
                "sandbox.landlock: /opt is not among what may be opened",
                "sandbox.landlock: /var/log is not among what may be opened for writing"}));
  sandbox.landlock = false;
  sandbox.seccomp = false;
  EXPECT_EQ(given_up(kept, needs, sandbox),
            std::vector<std::string>{"sandbox: CAP_SYS_TIME was given up"});
}

}  // namespace
}  // namespace timepool::ntpd
