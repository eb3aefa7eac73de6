#include "config/ntpd_server.h"

#include <algorithm>

#include "config/table.h"

namespace timepool::config {
namespace {

Schema<NtpLocalConfig> local_schema() {
  Schema<NtpLocalConfig> local;
  local.field("stratum", &NtpLocalConfig::stratum, integer(1, 15), "The stratum that is claimed.")
      .field("refid", &NtpLocalConfig::refid, text(4),
             "The reference identifier that is claimed: one to four ASCII characters.")
      .field("root_dispersion", &NtpLocalConfig::root_dispersion,
             duration(Duration(), Duration::seconds(16)),
             "The error of the system clock that is claimed.")
      .check([](const NtpLocalConfig& it) -> std::string {
        const bool printable = std::all_of(it.refid.begin(), it.refid.end(),
                                           [](char c) { return c > 0x20 && c < 0x7f; });
        return it.refid.empty() || !printable
                   ? "refid must be one to four printable ASCII characters without spaces"
                   : "";
      });
  return local;
}

}  // namespace

Schema<NtpServerConfig> ntp_server_schema() {
  const Schema<NtpLocalConfig> local = local_schema();
  Schema<NtpTestConfig> test;
  test.field("offset", &NtpTestConfig::offset,
             duration(Duration::seconds(-86400), Duration::seconds(86400)),
             "Added to every time that is served: the server lies. The clock is not touched. Only "
             "for tests of clients, monitors and pools.");
  Schema<NtpServerConfig> server;
  server
      .field(
          "listen", &NtpServerConfig::listen, list_of(endpoint(123, true), 256),
          "The addresses that are served. An empty list: every address of the machine, port 123. "
          "Replies leave from the address that was asked. Port 0 takes a free port, which the "
          "command `status` tells.")
      .field("threads", &NtpServerConfig::threads, integer(0u, 64u),
             "Worker threads, each with sockets of its own. With 0 the main loop answers.")
      .field("pin_threads", &NtpServerConfig::pin_threads, boolean(),
             "Keep each worker on one CPU, the first on the first that the program may use.")
      .field("receive_buffer", &NtpServerConfig::receive_buffer, byte_count(4096, 1 << 30),
             "How many bytes each socket may queue while its worker is not running. Above the "
             "system's limit it needs CAP_NET_ADMIN; otherwise the limit holds.")
      .field("interface", &NtpServerConfig::interface, text(15),
             "Serve only on this network interface; an empty string: all.")
      .field(
          "interleaved_replies", &NtpServerConfig::interleaved_replies,
          integer(std::size_t{0}, std::size_t{1} << 24),
          "How many of its last replies each worker remembers for clients that ask in "
          "interleaved mode (RFC 9769), 16 octets each, rounded down to a power of two. A client "
          "whose reply was forgotten is answered in basic mode. 0: basic mode only.")
      .table(
          "local", &NtpServerConfig::local, local,
          "Serve the system clock as synchronised, whatever this program knows about it. Without "
          "this table the answers say that the clock is not synchronised (leap indicator 3), "
          "also when the sources below are good: with clock = \"observe\" this program does not "
          "steer the clock and so can't vouch for it.")
      .table("access", &NtpServerConfig::access, ntp_access_schema(),
             "Who is served; without settings everybody.")
      .table("limits", &NtpServerConfig::limits, ntp_limits_schema(),
             "How often clients are answered, by token buckets of each address and of each network "
             "that it lies in: a bucket holds `burst` tokens and gets `rate` a second.")
      .table("test", &NtpServerConfig::test, test, "For tests only.")
      .check([](const NtpServerConfig& it) -> std::string {
        std::vector<Endpoint> sorted = it.listen;
        std::sort(sorted.begin(), sorted.end());
        const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
        return twice != sorted.end() && twice->port != 0
                   ? "listen: " + format(*twice) + " is there twice"
                   : "";
      });
  return server;
}

}  // namespace timepool::config
