// Self-check: what an authority would see of a challenge of HTTP-01, before one is asked (A12): a
// token of our own is presented and fetched as an authority would, by name and port 80, and what
// came is put into words. It blocks; the thread of the keeper.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/duration.h"
#include "certificates/conversation_runner.h"

namespace timepool::certificates {

enum class Seen : std::uint8_t {
  kProof,        // all is well, as far as can be seen from here
  kUnreachable,  // the name does not resolve, nobody answers, or not in time
  kOther,        // something else answers there, or answers something else
};

struct SelfCheck {
  std::string name;
  std::string url;
  Seen seen = Seen::kUnreachable;
  // For a person: what came and what to do.
  std::string text;
};

struct SelfCheckSettings {
  std::vector<std::string> names;
  // Authorities ask at 80; another is for tests.
  std::uint16_t port = 80;
  Duration timeout = Duration::seconds(10);
};

// One for each name, in their order. Errors: those of `presenter`, and kInvalid for a name that is
// none. From this machine others' firewalls are not seen, nor what other places resolve.
Result<std::vector<SelfCheck>> check_challenges(const SelfCheckSettings& settings,
                                                Presenter& presenter);

}  // namespace timepool::certificates
