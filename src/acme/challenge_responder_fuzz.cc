// Any octets as a request to the responder of challenges: one reason, a whole response of that
// status, and a proof only where its token is asked for by its name.
#include <cstdint>
#include <string_view>

#include "acme/challenge_responder.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool::acme;
  LiveChallenges live;
  live.names = {"a.example", "192.0.2.1"};
  live.proofs["token"] = {"a.example", "token.proof"};
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  const ChallengeAnswer answer = answer_challenge(head, live);
  const std::string start = "HTTP/1.1 " + std::to_string(status_of(answer.reason)) + " ";
  CHECK(answer.octets.starts_with(start));
  CHECK(answer.octets.find("\r\n\r\n") != std::string::npos);
  CHECK(answer.octets.find("Set-Cookie") == std::string::npos);
  const bool proof = answer.octets.find("token.proof") != std::string::npos;
  if (answer.reason != ChallengeReason::kServed) CHECK(!proof);
  if (answer.reason == ChallengeReason::kServed) {
    CHECK(head.find("/.well-known/acme-challenge/token ") != std::string_view::npos);
  }
  return 0;
}
