// The settings of timepool-ntpd.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/aead.h"
#include "base/duration.h"
#include "base/ip.h"
#include "config/ntpd_keys.h"
#include "config/ntpd_modes.h"
#include "config/ntpd_nts.h"
#include "config/ntpd_refclock.h"
#include "config/ntpd_reports.h"
#include "config/ntpd_server.h"
#include "config/schema.h"
#include "sys/log.h"
#include "sys/sandbox.h"

namespace timepool::config {

enum class ClockControl : unsigned char { kObserve, kSteer };
// How a leap second gets into the clock.
enum class LeapMode : unsigned char { kKernel, kStep, kSlew, kIgnore };

enum class AddressFamily : unsigned char { kBoth, kV4, kV6 };

// [[server]], [[pool]]
// Whether a source's servers prove themselves by Network Time Security, and, of a pool, what names
// them: its addresses, its SRV records, or the latter where DNS proves them.
enum class NtsUse : unsigned char { kOff, kRequire, kSrv, kAuto };
// Which SRV records are followed: those that DNSSEC proves, or also those within a suffix.
enum class SrvTrust : unsigned char { kDnssec, kDnssecOrSuffix };

struct NtpSourceConfig {
  std::string address;  // an IP address or a host name
  std::uint16_t port = 123;
  bool iburst = false;
  int minpoll = 6;
  int maxpoll = 10;
  int version = 4;
  bool burst = false;
  bool interleaved = false;
  std::uint32_t key = 0;  // of [keys]; 0: none
  std::optional<int> presend;
  bool online = true;
  int max_addresses = 0;  // 0: four for a pool, one for a server
  int initial_failover_retry_limit = 8;
  int server_failure_retry_limit = 8;
  Duration resolve_min = Duration::seconds(4);
  Duration resolve_max = Duration::seconds(1024);
  Duration resolve_refresh = Duration::seconds(3600);
  AddressFamily family = AddressFamily::kBoth;
  NtsUse nts = NtsUse::kOff;
  std::uint16_t nts_port = 4460;
  std::string nts_name;               // of the certificate; empty: the address
  std::vector<std::string> nts_ca;    // empty: the system's authorities
  std::vector<std::string> nts_pins;  // empty: any key
  std::vector<AeadId> nts_aeads = {AeadId::kAes128GcmSiv, AeadId::kAesSivCmac256};
  SrvTrust srv_trust = SrvTrust::kDnssec;
  std::string srv_suffix = "*.m.{pool}";
  bool smeared = false;  // it spreads leap seconds over hours
  bool prefer = false;
  bool trust = false;
  bool require = false;
  bool noselect = false;
  // What of its samples is kept.
  Duration max_delay = Duration::seconds(3);
  double max_delay_ratio = 0;
  double max_delay_dev_ratio = 0;
  double max_delay_quantile = 0;
  int filter = 1;
  int min_samples = 1;
  int max_samples = 128;
  bool operator==(const NtpSourceConfig&) const = default;
};

// What authenticated servers are worth in the selection.
enum class AuthSelectionPolicy : unsigned char { kRequire, kPrefer, kMix, kIgnore };

struct NtpSourcesConfig {
  int min_sources = 3;
  AuthSelectionPolicy auth_selection = AuthSelectionPolicy::kMix;
  int min_stratum = 0;
  int max_stratum = 15;
  Duration max_distance = Duration::seconds(3);
  Duration max_jitter = Duration::seconds(1);
  Duration reselect_distance = Duration::microseconds(100);
  Duration stratum_weight = Duration::milliseconds(1);
  double combine_limit = 3;
  std::vector<IpAddress> own_addresses;
  std::vector<std::string> directories;  // of files with further sources
  Duration replace_interval = Duration::seconds(1800);
  // How requests are sent.
  std::vector<IpAddress> bind_address;  // one of each family; none: the system's choice
  std::string bind_device;
  std::uint16_t acquisition_port = 0;
  int dscp = 0;
  std::vector<std::string> hardware_timestamps;  // interfaces, or "auto"
  std::vector<NtpSourceConfig> servers;
  std::vector<NtpSourceConfig> pools;
  bool operator==(const NtpSourcesConfig&) const = default;
};

// A file of [sources] directories.
struct NtpSourceFile {
  std::vector<NtpSourceConfig> servers;
  std::vector<NtpSourceConfig> pools;
  bool operator==(const NtpSourceFile&) const = default;
};

struct NtpResolverConfig {
  std::vector<Endpoint> servers;
  bool operator==(const NtpResolverConfig&) const = default;
};

// [steering]
struct NtpStepConfig {
  Duration threshold = Duration::seconds(1);
  std::int64_t limit = 3;
  int min_sources = 1;
  bool operator==(const NtpStepConfig&) const = default;
};

struct NtpMaxChangeConfig {
  Duration offset;
  std::int64_t start = 1;
  std::int64_t ignore = 2;
  bool operator==(const NtpMaxChangeConfig&) const = default;
};

struct NtpSteeringConfig {
  NtpStepConfig step;
  NtpMaxChangeConfig max_change;
  Duration panic_threshold = Duration::seconds(1000);
  int panic_quorum = 3;
  double max_slew_rate = 83333.333;  // parts in a million
  double max_clock_error = 1;        // parts in a million
  bool operator==(const NtpSteeringConfig&) const = default;
};

struct NtpdControlConfig {
  std::string socket = "/run/timepool/ntpd.sock";
  bool operator==(const NtpdControlConfig&) const = default;
};

struct NtpdConfig {
  ClockControl clock = ClockControl::kObserve;
  NtpSteeringConfig steering;
  std::string state_directory;  // empty: systemd's, or none
  bool save_samples = true;
  sys::LogLevel log_level = sys::LogLevel::kInfo;
  std::string leap_file;  // empty: none
  LeapMode leap_mode = LeapMode::kKernel;
  bool sources_smear = false;
  std::optional<NtpServerConfig> server;
  NtpSourcesConfig sources;
  std::vector<NtpPeerConfig> peers;
  std::vector<NtpBroadcastConfig> broadcasts;
  std::vector<NtpBroadcastClientConfig> broadcast_clients;
  std::vector<NtpRefclockConfig> refclocks;
  NtpKeysConfig keys;
  NtpdNtsConfig nts;
  NtpResolverConfig resolver;
  NtpdControlConfig control{"/run/timepool/ntpd.sock"};
  NtpdLogConfig log;
  NtpdMetricsConfig metrics;
  sys::SandboxSettings sandbox;
  bool operator==(const NtpdConfig&) const = default;
};

// Whether everything with a key has a file of keys; empty when all is well.
std::string check_source_keys(const NtpdConfig& config);

Schema<NtpdConfig> ntpd_schema();

}  // namespace timepool::config
