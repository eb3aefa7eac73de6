#include "config/dnsd_rrl.h"

namespace timepool::config {
namespace {

constexpr std::uint32_t kMaxRate = 1'000'000;
// A bucket that takes longer than an hour to fill again is no limit but a ban.
constexpr std::uint32_t kMaxWindow = 3600;
constexpr std::size_t kMaxExempt = 1024;
// dns::ResponseLimiter's own bounds.
constexpr std::size_t kMinTable = 64;
constexpr std::size_t kMaxTable = std::size_t{1} << 24;

}  // namespace

Schema<DnsdRrlConfig> dnsd_rrl_schema() {
  using Rrl = DnsdRrlConfig;
  Schema<Rrl> out;
  out.field("rate", &Rrl::rate, integer(0u, kMaxRate),
            "How many answers a second of one kind a network gets by UDP in the long run. Answers "
            "with records count by name, denials and names that do not exist by zone, referrals by "
            "name, errors together. Clients with a cookie of this server are not limited. Each "
            "worker counts alone and allows its part. 0: no limit.")
      .field("window", &Rrl::window, integer(1u, kMaxWindow),
             "How many seconds' worth of answers may come at once.")
      .field(
          "slip", &Rrl::slip, integer(0u, 10u),
          "Of the answers over the limit one in so many, at random, is sent without its records: "
          "with TC, so that a client that is really there asks by TCP, or with BADCOOKIE when it "
          "shows a cookie of its own. The others are dropped. 1: none is dropped; 0: all are.")
      .field("ipv4_prefix", &Rrl::ipv4_prefix, integer(1, 32),
             "How many bits of an IPv4 address are its network.")
      .field("ipv6_prefix", &Rrl::ipv6_prefix, integer(1, 64), "The same of IPv6.")
      .field("exempt", &Rrl::exempt, list_of(prefix(), kMaxExempt),
             "Prefixes that are not limited.")
      .field("table_size", &Rrl::table_size, integer(kMinTable, kMaxTable),
             "How many networks and kinds a worker can count at one time, in 8 bytes each. Only "
             "those that got an answer a moment ago take a place.");
  return out;
}

}  // namespace timepool::config
