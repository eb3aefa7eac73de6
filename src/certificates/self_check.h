// Self-check: what an authority would see of a challenge before one is asked (A12): a token of our
// own is presented and looked at as an authority would, by name, at port 80 or 443, and what came
// is put into words. It blocks: one thread, the keeper's; cancel() may come from any other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "acme/resources.h"
#include "base/duration.h"
#include "base/result.h"
#include "certificates/conversation_runner.h"
#include "net/http_client.h"
#include "sys/fd.h"

namespace timepool::certificates {

enum class Seen : std::uint8_t {
  kProof,        // all is well, as far as can be seen from here
  kUnreachable,  // the name does not resolve, nobody answers, or not in time
  kOther,        // something else answers there, or answers something else
};

struct SelfCheck {
  std::string name;
  acme::ChallengeType challenge = acme::ChallengeType::kHttp01;
  std::string at;  // where it was looked for: a URL, "NAME:443"
  Seen seen = Seen::kUnreachable;
  // For a person: what came and what to do.
  std::string text;
};

struct SelfCheckSettings {
  std::vector<std::string> names;
  std::vector<acme::ChallengeType> challenges = {acme::ChallengeType::kHttp01};
  // Authorities ask at these; others are for tests.
  std::uint16_t http_port = 80;
  std::uint16_t tls_port = 443;
  // For one challenge at one address.
  Duration timeout = Duration::seconds(10);
};

class SelfChecker {
 public:
  SelfChecker();

  // One for each name and each way of proving it, in their order. Errors: those of `presenter`,
  // kInvalid for a name that is none, kUnavailable when it was cancelled. From this machine others'
  // firewalls are not seen, nor what other places resolve.
  Result<std::vector<SelfCheck>> check(const SelfCheckSettings& settings, Presenter& presenter);
  // Ends what runs, and all later ones, at once.
  void cancel();

 private:
  bool cancelled() const;
  SelfCheck look(const acme::Challenge& challenge, const SelfCheckSettings& settings);
  SelfCheck look_by_http(const acme::Challenge& challenge, const SelfCheckSettings& settings);

  net::HttpClient http_;
  sys::Fd cancelled_;  // an eventfd
};

}  // namespace timepool::certificates
