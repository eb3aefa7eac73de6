// The settings of timepool-poold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "config/poold_nts.h"
#include "config/prefix_country.h"
#include "config/schema.h"
#include "sys/log.h"

namespace timepool::config {

struct PooldConfig {
  struct Http {
    std::vector<Endpoint> listen{{IpAddress::v4(0x7f000001), 8080, 0}};
    unsigned workers = 4;
    bool operator==(const Http&) const = default;
  };
  struct Store {
    std::string path = "/var/lib/timepool/pool.db";
    bool sync_every_commit = true;
    std::int64_t max_size = 0;
    Duration history = Duration::seconds(90LL * 86'400);
    bool operator==(const Store&) const = default;
  };
  struct Admin {
    std::string token_file = "/var/lib/timepool/admin.token";
    bool operator==(const Admin&) const = default;
  };
  struct Dns {
    std::string token_file;  // empty: counts of name servers are not taken
    bool operator==(const Dns&) const = default;
  };
  struct Servers {
    bool allow_private = false;
    std::uint32_t default_netspeed = 10'000;
    std::uint32_t max_netspeed = 3'000'000;
    bool operator==(const Servers&) const = default;
  };
  struct Monitors {
    Duration check_interval = Duration::seconds(540);
    Duration bad_interval = Duration::seconds(7200);
    double bad_score = -90;
    std::uint32_t samples = 3;
    std::uint32_t batch = 10;
    std::uint16_t ntp_port = 123;
    Duration ticket_lifetime = Duration::seconds(86'400);
    Duration answers_kept = Duration::seconds(172'800);
    bool operator==(const Monitors&) const = default;
  };
  struct Scoring {
    double decay = 0.95;
    double max_score = 20;
    double no_response_step = -5;
    double rate_step = -3.5;
    double deny_step = -10;
    double deny_cap = -50;
    double other_kiss_step = -2;
    double other_kiss_cap = 5;
    double error_step = -4;
    double far_offset_s = 3;
    double far_offset_step = -4;
    double far_offset_cap = -20;
    std::uint8_t bad_stratum = 8;
    double bad_stratum_step = -4;
    std::vector<double> offset_above_s{0.750, 0.100, 0.025};
    std::vector<double> offset_slope{0, -2.308, -6.667};
    std::vector<double> offset_intercept{-2, 0.731, 1.167};
    double max_step = 1;
    Duration active_window = Duration::seconds(1200);
    Duration testing_window = Duration::seconds(2700);
    Duration candidate_window = Duration::seconds(7200);
    bool operator==(const Scoring&) const = default;
  };
  struct Publish {
    Duration min_interval = Duration::seconds(30);
    Duration names_interval = Duration::seconds(1);
    std::string key_file = "/var/lib/timepool/snapshot.key";
    bool operator==(const Publish&) const = default;
  };
  struct Geoip {
    std::vector<std::string> files;
    std::vector<PrefixCountry> overrides;
    bool operator==(const Geoip&) const = default;
  };
  struct Host {
    std::string name;
    std::vector<IpAddress> addresses;
    bool operator==(const Host&) const = default;
  };
  struct Zones {
    std::string name = "pool.test";
    std::vector<std::string> name_servers;
    std::vector<Host> hosts;
    std::string contact;
    std::uint32_t ttl = 150;
    std::uint32_t negative_ttl = 60;
    std::uint32_t max_hosts = 4;
    double min_score = 10;
    std::uint32_t min_per_number = 2;
    bool operator==(const Zones&) const = default;
  };
  struct Selection {
    bool fill_countries = true;
    std::uint32_t min_servers = 16;
    std::uint32_t min_capacity = 100'000;
    std::uint32_t max_distance_km = 8000;
    double max_server_share = 0.25;
    double max_network_share = 0.35;
    double max_account_share = 0.5;
    double max_asn_share = 0.5;
    bool operator==(const Selection&) const = default;
  };

  Http http;
  Store store;
  Admin admin;
  Dns dns;
  Servers servers;
  Monitors monitors;
  Scoring scoring;
  Publish publish;
  Geoip geoip;
  Zones zones;
  Selection selection;
  PooldNtsConfig nts;
  sys::LogLevel log_level = sys::LogLevel::kInfo;
};

Schema<PooldConfig> poold_schema();

}  // namespace timepool::config
