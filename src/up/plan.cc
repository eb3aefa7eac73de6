#include "up/plan.h"

#include <array>

namespace timepool::up {
namespace {

constexpr std::uint32_t kFirstGood = 0x7f0a0001;  // 127.10.0.1
constexpr std::uint32_t kLiar = 0x7f0a00c8;       // 127.10.0.200
constexpr std::uint32_t kDead = 0x7f0a00c9;       // 127.10.0.201
constexpr Duration kLie = Duration::milliseconds(400);

constexpr std::array<const char*, 8> kCountries = {"de", "us", "jp", "br", "za", "au", "fr", "in"};
// Of the NTP Pool's ladder; far enough apart that a pool that ignores them is noticed.
constexpr std::array<std::uint64_t, 6> kNetspeeds = {25'000,  50'000,  100'000,
                                                     100'000, 250'000, 500'000};

constexpr std::array<const char*, kNtsMembers> kNtsNames = {"alice", "bob", "carol"};

std::string local_https(std::uint16_t port, const char* path) {
  return "https://127.0.0.1:" + std::to_string(port) + path;
}

}  // namespace

std::string NtsPlan::directory_url() const {
  return local_https(authority_port, "/dir");
}

std::string NtsPlan::root_url() const {
  return local_https(management_port, "/roots/0");
}

const char* name_of(Role role) {
  switch (role) {
    case Role::kGood:
      return "good";
    case Role::kLiar:
      return "liar";
    case Role::kDead:
      return "dead";
    case Role::kOther:
      break;
  }
  return "other";
}

std::string monitor_name(int number) {
  return "monitor-" + std::to_string(number);
}

std::vector<PlannedServer> plan_servers(int good, bool ipv6, bool nts) {
  std::vector<PlannedServer> out;
  for (int i = 0; i < good; ++i) {
    const auto n = static_cast<std::size_t>(i);
    out.push_back({"ntpd-" + std::to_string(i + 1),
                   Role::kGood,
                   IpAddress::v4(kFirstGood + static_cast<std::uint32_t>(i)),
                   kNetspeeds[n % kNetspeeds.size()],
                   kCountries[n % kCountries.size()],
                   {},
                   nts && n < kNtsNames.size() ? kNtsNames[n] : ""});
  }
  if (ipv6) {
    out.push_back({"ntpd-ipv6", Role::kGood, parse_ip("::1").value(), 100'000, "de", {}, ""});
  }
  out.push_back({"ntpd-liar", Role::kLiar, IpAddress::v4(kLiar), 500'000, "us", kLie, ""});
  out.push_back({"", Role::kDead, IpAddress::v4(kDead), 500'000, "de", {}, ""});
  return out;
}

Role role_of(const Plan& plan, const std::string& address) {
  for (const PlannedServer& server : plan.servers) {
    if (format(server.address) == address) return server.role;
  }
  return Role::kOther;
}

}  // namespace timepool::up
