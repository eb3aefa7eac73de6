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
      .field(
          "distance", &NtpLocalConfig::distance, duration(Duration(), Duration::seconds(16)),
          "The root distance (half the root delay, and the root dispersion) from which the clock "
          "is served by this table although it was kept at the sources' time before.")
      .field("activate", &NtpLocalConfig::activate, duration(Duration(), Duration::seconds(16)),
             "Not before the root distance was below this once since the program started: a clock "
             "that never had the time is not served. 0s: at once.")
      .field("wait_synced", &NtpLocalConfig::wait_synced,
             duration(Duration(), Duration::seconds(86400 * 7)),
             "Nor sooner than this after the clock's last update by the sources.")
      .field("wait_unsynced", &NtpLocalConfig::wait_unsynced,
             maybe(duration(Duration(), Duration::seconds(86400 * 7))),
             "How long nobody must have kept the clock: none of the sources has been heard, they "
             "contradict each other, or the program has just started. Without it: 5 minutes for "
             "orphans, else none.")
      .field(
          "orphan", &NtpLocalConfig::orphan, boolean(),
          "Several servers of an island together: each has the others as its sources, and the "
          "same stratum here, above that of any source with the true time. While nobody has that, "
          "they all follow the one with the smallest address; when it falls silent, the next. "
          "Sources of this stratum and above are not used otherwise. Works together with "
          "chronyd's and ntpd's orphans. Needs clock = \"steer\".")
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
             duration(Duration::seconds(-36'600LL * 86'400), Duration::seconds(36'600LL * 86'400)),
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
      .field(
          "max_root_distance", &NtpServerConfig::max_root_distance,
          duration(Duration::milliseconds(1), Duration::seconds(16)),
          "When all sources are silent the clock is served on, with a root dispersion that grows "
          "by the error it may have gathered. From this root distance on the answers say that it "
          "is not synchronised (leap indicator 3). When the sources contradict each other they "
          "say so at once, and also when the state of the clock has not been looked at for 10 "
          "minutes.")
      .field("hide_refid", &NtpServerConfig::hide_refid, boolean(),
             "Tell nobody whom this server follows, or by what clock (RFC 8633 5.1): the reference "
             "identifier is 127.127.127.127 and the reference time is rounded. Who follows this "
             "server and is followed by it can't see the loop then.")
      .table(
          "local", &NtpServerConfig::local, local,
          "Serve the system clock as synchronised when no source keeps it, whatever its time is. "
          "Without this table the answers say then that the clock is not synchronised (leap "
          "indicator 3). With clock = \"observe\" that is always so, also when the sources are "
          "good: this program does not steer the clock and so can't vouch for it.")
      .table("smear", &NtpServerConfig::smear, ntp_smear_schema(), kSmearDoc)
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
