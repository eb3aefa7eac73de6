#include "cli/ntp_cookie_seed.h"

#include <memory>

#include "cli/commands.h"
#include "cli/print.h"
#include "nts/key_chain.h"
#include "sys/clock.h"
#include "sys/random.h"

namespace timepool::cli {

Result<std::string> cookie_seed(const std::optional<std::string>& rotation, UnixTime now) {
  const auto wrong = [&](const std::string& why) {
    return fail(Error{ErrorCode::kInvalid, "cookie-seed", why});
  };
  const Result<Duration> length = parse_duration(rotation.value_or("24h"));
  if (!length.ok()) return wrong(*rotation + " is no duration");
  if (*length < nts::kMinRotation || *length > nts::kMaxRotation ||
      length->ns() % 1'000'000'000 != 0) {
    return wrong("a rotation is " + format(nts::kMinRotation) + " to " + format(nts::kMaxRotation) +
                 ", in whole seconds");
  }
  nts::ChainSecret secret;
  sys::fill_random(secret);
  return nts::KeyChain::begin(secret, *length, now).text();
}

void add_ntp_cookie_seed(Command& ntp) {
  Command seed = ntp.command("cookie-seed", "Print a new file of keys for NTS cookies");
  seed.footer(
      "For servers that share their keys ([nts.cookies] shared). Example:\n"
      "  (umask 077; timepool ntp cookie-seed > nts-cookies.keys)\n"
      "Copy it to the state directory of each of them, and keep no other copy.");
  const auto rotation = std::make_shared<std::optional<std::string>>();
  seed.positional("ROTATION", *rotation, "How long a key seals cookies, as configured (24h)");
  seed.action([rotation] {
    const Result<std::string> text = cookie_seed(*rotation, sys::unix_now());
    if (!text.ok()) return failed(text.error());
    print(text->substr(0, text->size() - 1));
    return kOk;
  });
}

}  // namespace timepool::cli
