#include "config/ntpd_nts_client.h"

namespace timepool::config {
namespace {

constexpr Duration kMinLifetime = Duration::seconds(3600);
constexpr Duration kMaxLifetime = Duration::seconds(366LL * 86'400);
// A key establishment that takes a minute has failed (ntp/establishments.h).
constexpr Duration kMaxTimeout = Duration::seconds(30);
constexpr std::size_t kMaxQuorum = 64;

}  // namespace

Schema<NtsClientConfig> nts_client_schema() {
  using C = NtsClientConfig;
  Schema<C> out;
  out.field(
         "file", &C::file, text(4000),
         "Where keys, cookies and failed attempts are kept, mode 0600, so that neither a restart "
         "nor a crash needs new keys. An empty string: nts-sessions.bin in the state directory; "
         "without one nothing is kept.")
      .field(
          "key_lifetime", &C::key_lifetime, duration(kMinLifetime, kMaxLifetime),
          "Keys are established anew when they are so old, up to a quarter earlier or later. The "
          "old ones are used until the new ones have worked.")
      .field("timeout", &C::timeout, duration(Duration::seconds(1), kMaxTimeout),
             "How long a key establishment may take.")
      .field(
          "unchecked_updates", &C::unchecked_updates,
          integer(std::uint64_t{0}, std::uint64_t{1'000'000}),
          "For machines without a clock: so many updates of the clock after the start, "
          "certificates are taken whatever their dates, unless they ended before the last time "
          "that was known to be right. What such sources say counts only while "
          "`unchecked_quorum` agree, and afterwards all certificates are judged by the time that "
          "was found: a source is dropped whose own does not hold then. 0: the dates must hold "
          "by the system clock from the start.")
      .field("unchecked_quorum", &C::unchecked_quorum, integer(std::size_t{1}, kMaxQuorum),
             "How many authenticated sources must agree while dates of certificates are unchecked. "
             "With fewer than three, one stolen key of a certificate that has ended decides on the "
             "time.");
  return out;
}

}  // namespace timepool::config
