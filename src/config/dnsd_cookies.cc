#include "config/dnsd_cookies.h"

namespace timepool::config {
namespace {

// dns::CookieSecrets::kMinRotation.
constexpr Duration kMinRotation = Duration::seconds(7200);
constexpr Duration kMaxRotation = Duration::seconds(366LL * 86'400);

}  // namespace

Schema<DnsdCookiesConfig> dnsd_cookies_schema() {
  using Cookies = DnsdCookiesConfig;
  Schema<Cookies> out;
  out.field("seed_file", &Cookies::seed_file, text(4000),
            "A file of 64 hexadecimal digits, readable by its owner alone, that the secrets of all "
            "cookies are derived from: the same on all servers of an anycast address, so that each "
            "takes the cookies of the others. `openssl rand -hex 32` makes one. Read at the start "
            "and on reload. Empty: a random seed at each start.")
      .field("rotation", &Cookies::rotation, duration(kMinRotation, kMaxRotation),
             "How long a secret makes new cookies, in whole seconds. A new one begins at multiples "
             "of this since 1970; cookies of the one before are taken until they are an hour old.")
      .field("required", &Cookies::required, boolean(),
             "Answer by UDP with BADCOOKIE, a good cookie and no records, whenever a client that "
             "knows of cookies shows none of this server: for times when this server is misused in "
             "floods. Clients without cookies at all are answered as ever.")
      .field("max_udp_without", &Cookies::max_udp_without, integer<std::uint16_t>(0, 4096),
             "The largest answer by UDP, in bytes, to a client without a good cookie; a longer one "
             "is asked for again by TCP, or with the cookie. At least 512; 0: [server] max_udp.")
      .check([](const Cookies& it) -> std::string {
        if (it.rotation.ns() % 1'000'000'000 != 0) return "rotation is no whole number of seconds";
        if (it.max_udp_without != 0 && it.max_udp_without < 512) {
          return "max_udp_without must be 0 or at least 512";
        }
        return {};
      });
  return out;
}

}  // namespace timepool::config
