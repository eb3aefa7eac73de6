#include "config/ntpd_nts_cookies.h"

namespace timepool::config {
namespace {

// Bounds of nts/key_chain.h, which has its own.
constexpr Duration kMinRotation = Duration::seconds(600);
constexpr Duration kMaxRotation = Duration::seconds(366LL * 86'400);
constexpr std::int64_t kMaxPast = 16;

}  // namespace

Schema<NtsCookiesConfig> nts_cookies_schema() {
  Schema<NtsCookiesConfig> out;
  out.field("file", &NtsCookiesConfig::file, text(4000),
            "Where the keys are kept, mode 0600, written anew whenever they rotate. An empty "
            "string: nts-cookies.keys in the state directory; without one the keys are lost at the "
            "end, and every client must establish keys anew.")
      .field("rotation", &NtsCookiesConfig::rotation, duration(kMinRotation, kMaxRotation),
             "How long a key seals new cookies, in whole seconds. A new one begins at multiples of "
             "this since 1970, while the clock is known to be good.")
      .field("past", &NtsCookiesConfig::past, integer(std::size_t{0}, std::size_t{kMaxPast}),
             "How many keys before that one still open cookies: a client that asks less often than "
             "`past` times `rotation` must establish keys anew.")
      .field("shared", &NtsCookiesConfig::shared, boolean(),
             "Several servers have the same keys, each in its own copy of one file, which must be "
             "there: `timepool ntp cookie-seed` makes the first one. They open each other's "
             "cookies and need not talk to each other. Without this a file that is missing or "
             "damaged is replaced by new keys.");
  out.check([](const NtsCookiesConfig& it) -> std::string {
    return it.rotation.ns() % 1'000'000'000 == 0 ? "" : "rotation is no whole number of seconds";
  });
  return out;
}

}  // namespace timepool::config
