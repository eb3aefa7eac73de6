#include "certificates/self_check.h"

#include <array>

#include "acme/base64url.h"
#include "acme/challenge_responder.h"
#include "net/http_client.h"
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
  const std::string server(response.headers.value("Server"));
  return server.empty() ? "something" : server.substr(0, 80);
}

SelfCheck look(const acme::Challenge& challenge, const SelfCheckSettings& settings) {
  SelfCheck out{challenge.name.value, url_of(challenge, settings.port), Seen::kUnreachable, ""};
  net::HttpFetch fetch;
  fetch.url = out.url;
  fetch.connect_timeout = settings.timeout;
  fetch.total_timeout = settings.timeout;
  fetch.max_body = kMaxBody;
  // Authorities follow redirects.
  fetch.follow_redirects = true;
  const auto response = net::fetch(fetch);
  if (!response.ok() && response.error().code != ErrorCode::kExhausted) {
    out.text = response.error().text() + ": the name must resolve to this machine, and port " +
               std::to_string(settings.port) + " be open to everybody";
    return out;
  }
  if (response.ok() && response->status == 200 && response->body == challenge.key_authorization) {
    out.seen = Seen::kProof;
    out.text = "the proof was seen at " + out.url;
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

}  // namespace

Result<std::vector<SelfCheck>> check_challenges(const SelfCheckSettings& settings,
                                                Presenter& presenter) {
  std::vector<acme::Challenge> challenges;
  for (const std::string& name : settings.names) {
    const auto identifier = acme::identifier_of(name);
    if (!identifier.ok()) {
      return fail(Error{ErrorCode::kInvalid, "name " + name, "neither a host name nor an address"});
    }
    const std::string token = random_token();
    challenges.push_back(
        {acme::ChallengeType::kHttp01, *identifier, token, token + "." + random_token()});
  }
  TRY(presenter.present(challenges));
  std::vector<SelfCheck> out;
  for (const acme::Challenge& it : challenges) out.push_back(look(it, settings));
  presenter.withdraw(Proved::kYes);
  return out;
}

}  // namespace timepool::certificates
