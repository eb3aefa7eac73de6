#include "config/ntpd_nts_server.h"

#include <algorithm>

#include "config/certificate.h"

namespace timepool::config {
namespace {

constexpr std::size_t kMaxPrefixes = 65'536;
constexpr std::size_t kMaxCertificates = 100;
constexpr std::size_t kMaxNtpServers = 16;
// A bucket that takes longer to fill again is no limit but a ban.
constexpr double kLongestFill = 86'400;

void add_connections(Schema<NtsLimitsConfig>& out, const std::string& name,
                     std::size_t NtsLimitsConfig::* member, const std::string& whom) {
  out.field(name + "_connections", member, integer(std::size_t{0}, std::size_t{100'000}),
            "How many connections of " + whom + " at a time. 0: no limit of its own.");
}

void add_bucket(Schema<NtsLimitsConfig>& out, const std::string& name,
                double NtsLimitsConfig::* rate, std::int64_t NtsLimitsConfig::* burst,
                const std::string& whom) {
  out.field(
         name + "_rate", rate, number(0, 1e6),
         "How many connections a second of " + whom + " are accepted in the long run. 0: no limit.")
      .field(name + "_burst", burst, integer64(1, 10'000'000), "How many of them at once.")
      .check([=](const NtsLimitsConfig& it) -> std::string {
        const bool slow = it.*rate > 0 && static_cast<double>(it.*burst) / it.*rate > kLongestFill;
        return slow ? name + "_burst takes longer than a day to fill at " + name + "_rate" : "";
      });
}

Schema<NtsLimitsConfig> limits_schema() {
  using C = NtsLimitsConfig;
  Schema<C> out;
  out.field("connections", &C::connections, integer(std::size_t{1}, std::size_t{100'000}),
            "How many connections at a time, of all clients. At the limit a new one takes the "
            "place of the oldest that waits for its client, once that is a quarter of a second "
            "old. Fewer when the system allows fewer descriptors.");
  add_connections(out, "v4_32", &C::v4_32_connections, "an IPv4 address");
  add_connections(out, "v4_24", &C::v4_24_connections, "an IPv4 network of 24 bits");
  add_connections(out, "v6_56", &C::v6_56_connections, "an IPv6 network of 56 bits");
  add_connections(out, "v6_48", &C::v6_48_connections, "an IPv6 network of 48 bits");
  out.field("clients", &C::clients, integer64(1024, 1 << 24),
            "How many addresses are remembered for the rates, in 60 bytes each. A change needs a "
            "restart.");
  add_bucket(out, "address", &C::address_rate, &C::address_burst, "an address");
  add_bucket(out, "v4_24", &C::v4_24_rate, &C::v4_24_burst, "an IPv4 network of 24 bits");
  add_bucket(out, "v6_64", &C::v6_64_rate, &C::v6_64_burst, "an IPv6 network of 64 bits");
  add_bucket(out, "v6_56", &C::v6_56_rate, &C::v6_56_burst, "an IPv6 network of 56 bits");
  add_bucket(out, "v6_48", &C::v6_48_rate, &C::v6_48_burst, "an IPv6 network of 48 bits");
  out.field("exempt", &C::exempt, list_of(prefix(), kMaxPrefixes),
            "Prefixes that only `connections` limits.");
  return out;
}

Schema<NtsNtpServerConfig> ntp_server_name_schema() {
  Schema<NtsNtpServerConfig> out;
  out.field("name", &NtsNtpServerConfig::name, text(253),
            "Its address, or a name that is looked up as it stands. An empty string: the address "
            "that the client reached.")
      .field("port", &NtsNtpServerConfig::port, integer(std::uint16_t{1}, std::uint16_t{65'535}),
             "Its port.");
  return out;
}

std::string check_server(const NtsServerConfig& it) {
  std::vector<Endpoint> sorted = it.listen;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end() && twice->port != 0) {
    return "listen: " + format(*twice) + " is there twice";
  }
  const auto& aeads = it.aeads;
  if (std::count(aeads.begin(), aeads.end(), AeadId::kAesSivCmac256) != 1 ||
      aeads.size() > kAeadCount || (aeads.size() == kAeadCount && aeads.front() == aeads.back())) {
    return "aeads: each at most once, and AES-SIV-CMAC-256 must be there (RFC 8915 5.1)";
  }
  return "";
}

}  // namespace

Schema<NtsServerConfig> nts_server_schema() {
  using C = NtsServerConfig;
  const Codec<AeadId> aead =
      one_of<AeadId>({{std::string(name_of(AeadId::kAesSivCmac256)), AeadId::kAesSivCmac256},
                      {std::string(name_of(AeadId::kAes128GcmSiv)), AeadId::kAes128GcmSiv}});
  Schema<C> out;
  out.field("listen", &C::listen, list_of(endpoint(kNtsKePort, true), 256),
            "The addresses where keys are established, over TCP. An empty list: every address of "
            "the machine, port 4460. Port 0 takes a free port, which the command `status` tells.")
      .tables("certificate", &C::certificates, certificate_schema_of<NtsCertificateConfig>(),
              "A certificate; one at least, unless there is [nts.acme]. A client is shown the "
              "first that has the name that it "
              "asks for, else the first with a wildcard for it, else the first of all. The files "
              "are looked at once a minute and on reload; new ones are taken when all is right "
              "with them.",
              kMaxCertificates)
      .field("threads", &C::threads, integer(0u, 64u),
             "Threads that establish keys; one manages about 2,000 a second. With 0 the main loop "
             "does it.")
      .field("deadline", &C::deadline, duration(Duration::milliseconds(100), Duration::seconds(60)),
             "How long a client may take from the connection to the end of its request.")
      .field("aeads", &C::aeads, list_of(aead, kAeadCount),
             "Which algorithms clients may have, the best first. AES-SIV-CMAC-256 must be there "
             "(RFC 8915 5.1).")
      .tables("ntp_server", &C::ntp_servers, ntp_server_name_schema(),
              "An NTP server that has the same cookie keys: clients are sent to the first, or to "
              "the one that they ask for. Without any they are sent to the address that they "
              "reached, at the first port of [server] listen.",
              kMaxNtpServers)
      .table("limits", &C::limits, limits_schema(),
             "How many connections are served at a time and, by token buckets of each address and "
             "of each network that it lies in, how many new ones: a bucket holds `burst` tokens "
             "and gets `rate` a second. A server's processor time is what they share out: one "
             "takes about 0.4 ms of it.")
      .check([](const C& it) { return check_server(it); });
  return out;
}

}  // namespace timepool::config
