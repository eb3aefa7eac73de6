#include "dnsd/sandbox.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

using sys::PathAccess;

bool may(const sys::SandboxNeeds& needs, const std::string& path, PathAccess access) {
  return sys::is_covered(needs.paths, path, access);
}

TEST(DnsdSandbox, keeps_no_capability_and_writes_beside_its_socket_only) {
  const sys::SandboxNeeds needs = sandbox_needs({}, "/srv/timepool/dnsd.toml");
  EXPECT_TRUE(needs.capabilities.empty());
  EXPECT_TRUE(needs.calls.empty());
  EXPECT_TRUE(may(needs, "/etc/ssl/certs/ca-certificates.crt", PathAccess::kRead));
  EXPECT_TRUE(may(needs, "/run/timepool/dnsd.sock", PathAccess::kWrite));
  for (const char* path : {"/", "/root/.ssh/id", "/home", "/proc", "/tmp/x"}) {
    EXPECT_FALSE(may(needs, path, PathAccess::kRead)) << path;
  }
  for (const char* path : {"/etc/passwd", "/usr/lib/x.so", "/dev/null"}) {
    EXPECT_FALSE(may(needs, path, PathAccess::kWrite)) << path;
  }
}

TEST(DnsdSandbox, covers_what_the_settings_name) {
  const sys::TemporaryDirectory root;
  const std::string& at = root.path();
  for (const char* name :
       {"zones", "health", "cookies", "keys", "snapshots", "tls", "geo", "ca", "journal"}) {
    std::filesystem::create_directory(at + "/" + name);
  }
  config::DnsdConfig config;
  config.zones.directory = at + "/zones";
  config.zones.health_directory = at + "/health";
  config.dnssec.directory = at + "/keys";
  config.transfer.journal = at + "/journal";
  config.cookies.seed_file = at + "/cookies/seed";
  config.snapshot.directory = at + "/snapshots";
  config.snapshot.ca_file = at + "/ca/ca.pem";
  config.geoip.files = {at + "/geo/country.mmdb"};
  config.tls.certificates = {{at + "/tls/chain.pem", at + "/tls/key.pem"}};
  const sys::SandboxNeeds needs = sandbox_needs(config, "/etc/timepool/dnsd.toml");
  for (const char* path :
       {"/zones/pool.test.json", "/geo/country.mmdb.new", "/tls/key.pem", "/tls/chain.pem",
        "/ca/ca.pem", "/health/x.json", "/cookies/seed", "/snapshots/dns-1.snapshot"}) {
    EXPECT_TRUE(may(needs, at + path, PathAccess::kRead)) << path;
  }
  EXPECT_TRUE(may(needs, at + "/snapshots/dns-2.snapshot", PathAccess::kWrite));
  EXPECT_TRUE(may(needs, at + "/keys/pool.test.keys", PathAccess::kWrite));
  EXPECT_TRUE(may(needs, at + "/journal/pool.test.transfers", PathAccess::kWrite));
  for (const char* path : {"/zones/x", "/tls/key.pem", "/geo/country.mmdb", "/other"}) {
    EXPECT_FALSE(may(needs, at + path, PathAccess::kWrite)) << path;
  }
}

}  // namespace
}  // namespace timepool::dnsd
