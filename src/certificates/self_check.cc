#include "certificates/self_check.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "acme/base64url.h"
#include "acme/challenge_responder.h"
#include "acme/json_fields.h"
#include "certificates/alpn_look.h"
#include "sys/random.h"

namespace timepool::certificates {
namespace {

// RFC 8555 8.1 wants 128 bits; these are 256.
constexpr std::size_t kTokenOctets = 32;
// More than any proof has: a web server's page is not read to its end.
constexpr std::size_t kMaxBody = 64 << 10;

std::string random_token() {
  std::array<std::byte, kTokenOctets> octets{};
  sys::fill_random(octets);
  return acme::to_base64url(octets);
}

std::string url_of(const acme::Challenge& challenge, std::uint16_t port) {
  const std::string& name = challenge.name.value;
  std::string out = "http://";
  out += name.find(':') == std::string::npos ? name : "[" + name + "]";
  if (port != 80) out += ":" + std::to_string(port);
  return out + std::string(acme::kChallengePath) + challenge.token;
}

// Web servers say who they are; that helps to find the one that is in the way.
std::string who_answers(const net::HttpResponse& response) {
  constexpr std::size_t kMost = 80;
  const std::string server = acme::plain(response.headers.value("Server"), kMost);
  return server.empty() ? "something" : server;
}

Result<std::vector<acme::Challenge>> made_up(const SelfCheckSettings& settings) {
  std::vector<acme::Challenge> out;
  for (const std::string& name : settings.names) {
    const auto identifier = acme::identifier_of(name);
    if (!identifier.ok()) {
      return fail(Error{ErrorCode::kInvalid, "name " + name, "neither a host name nor an address"});
    }
    for (const acme::ChallengeType type : settings.challenges) {
      const std::string token = random_token();
      out.push_back({type, *identifier, token, token + "." + random_token()});
    }
  }
  return out;
}

// RFC 8738 7: an authority would ask by another name than the address, which is none of ours.
bool can_be_presented(const acme::Challenge& challenge) {
  return challenge.type == acme::ChallengeType::kHttp01 || challenge.name.type == "dns";
}

}  // namespace

SelfChecker::SelfChecker() : cancelled_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void SelfChecker::cancel() {
  http_.cancel();
  const std::uint64_t one = 1;
  static_cast<void>(::write(cancelled_.number(), &one, sizeof one) == sizeof one);
}

bool SelfChecker::cancelled() const {
  return http_.cancelled();
}

SelfCheck SelfChecker::look_by_http(const acme::Challenge& challenge,
                                    const SelfCheckSettings& settings) {
  SelfCheck out{challenge.name.value, challenge.type, url_of(challenge, settings.http_port),
                Seen::kUnreachable, ""};
  net::HttpFetch fetch;
  fetch.url = out.at;
  fetch.connect_timeout = settings.timeout;
  fetch.total_timeout = settings.timeout;
  fetch.max_body = kMaxBody;
  // Authorities follow redirects.
  fetch.follow_redirects = true;
  const auto response = http_.fetch(fetch);
  if (!response.ok() && response.error().code != ErrorCode::kExhausted) {
    out.text = response.error().text() + ": the name must resolve to this machine, and port " +
               std::to_string(settings.http_port) + " be open to everybody";
    return out;
  }
  if (response.ok() && response->status == 200 && response->body == challenge.key_authorization) {
    out.seen = Seen::kProof;
    out.text = "the proof was seen at " + out.at;
    return out;
  }
  out.seen = Seen::kOther;
  if (!response.ok()) {
    out.text = "a page of some size was seen instead of the proof: another web server answers";
  } else if (response->status == 421) {
    out.text = "the responder that answers does not know the name: it is another timepool's";
  } else {
    out.text = who_answers(*response) + " answered with status " +
               std::to_string(response->status) +
               " instead of the proof: let it serve the challenges (webroot), or pass them on";
  }
  return out;
}

SelfCheck SelfChecker::look(const acme::Challenge& challenge, const SelfCheckSettings& settings) {
  if (!can_be_presented(challenge)) {
    return {challenge.name.value, challenge.type, "", Seen::kOther,
            "an address is not proved by tls-alpn-01 here, but by http-01"};
  }
  if (challenge.type == acme::ChallengeType::kHttp01) return look_by_http(challenge, settings);
  return look_by_tls(challenge, settings, cancelled_.number());
}

Result<std::vector<SelfCheck>> SelfChecker::check(const SelfCheckSettings& settings,
                                                  Presenter& presenter) {
  const auto challenges = TRY(made_up(settings));
  std::vector<acme::Challenge> presented;
  std::copy_if(challenges.begin(), challenges.end(), std::back_inserter(presented),
               can_be_presented);
  if (!cancelled_) return fail(Error{ErrorCode::kExhausted, "check", "no descriptor"});
  TRY(presenter.present(presented));
  std::vector<SelfCheck> out;
  for (const acme::Challenge& it : challenges) {
    if (!cancelled()) out.push_back(look(it, settings));
  }
  presenter.withdraw(cancelled() ? Proved::kNo : Proved::kYes);
  if (cancelled()) return fail(Error{ErrorCode::kUnavailable, "check", "it was cut off"});
  return out;
}

}  // namespace timepool::certificates
