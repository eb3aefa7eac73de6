// What the server spends on a request under NTS besides the system calls, in nanoseconds of its
// thread: one JSON object on standard output. Judging, the reply with its cookies, and its proof,
// by libgcrypt; a plain request for comparison.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "base/check.h"
#include "crypto/aead.h"
#include "ntp/server/responder.h"
#include "nts/testing_client.h"
#include "sys/random.h"

namespace timepool::ntpd {
namespace {

using nts::fake::Octets;

constexpr int kRounds = 9;
constexpr int kInRound = 10'000;

double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Bench {
 public:
  Bench() {
    service_.state.leap = wire::ntp::Leap::kNone;
    service_.state.stratum = 1;
    service_.cookies = std::make_shared<nts::CookieKeys>(nts::fake::cookie_keys(1, 10));
    maker_.use(*service_.cookies);
    rx_.client = {IpAddress::v4(0xc000'0201), 40'000, 0};
  }
  void run() {
    measure("plain",
            Octets(nts::fake::make_request({}, {}, *aeads_->make(AeadId::kAesSivCmac256), random_,
                                           {.unique_ids = 0, .cookies = 0, .authenticators = 0})));
    for (const AeadId id : {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv}) {
      const bool siv = id == AeadId::kAesSivCmac256;
      measure(siv ? "siv" : "gcm_siv", request(id, {}));
      measure(siv ? "siv_eight_cookies" : "gcm_siv_eight_cookies",
              request(id, {.placeholders = 7}));
      Octets wrong = request(id, {});
      wrong.back() ^= std::byte{1};
      measure(siv ? "siv_wrong_proof" : "gcm_siv_wrong_proof", wrong);
    }
    std::printf("}\n");
  }

 private:
  Octets request(AeadId id, const nts::fake::RequestShape& shape) {
    const nts::SessionKeys keys = nts::fake::session_keys(id, 1);
    const auto aead = aeads_->make(id);
    return nts::fake::make_request(keys, nts::fake::make_cookie(maker_, keys), *aead, random_,
                                   shape);
  }
  void answer(const Octets& request) {
    const ntp::Response response = responder_.respond(rx_, request, service_, reply_);
    if (response.verdict != ntp::Verdict::kReply) return;
    responder_.finish(response, service_, rx_.received,
                      MutableBytes(reply_).first(response.length));
  }
  void measure(const char* name, const Octets& request) {
    std::array<double, kRounds> rounds;
    for (double& round : rounds) {
      const double start = seconds_now();
      for (int i = 0; i < kInRound; ++i) answer(request);
      round = (seconds_now() - start) * 1e9 / kInRound;
    }
    std::sort(rounds.begin(), rounds.end());
    std::printf("%s\"%s\": %.0f", first_ ? "{" : ",\n ", name, rounds[kRounds / 2]);
    first_ = false;
  }

  std::shared_ptr<crypto::GcryptAeads> aeads_ = std::make_shared<crypto::GcryptAeads>();
  nts::fake::SeededRandom random_{1};
  nts::Cookies maker_{*aeads_, random_};
  ntp::Service service_;
  ntp::Responder responder_{
      ntp::Responder::Options{.aeads = aeads_, .random = std::make_shared<sys::KernelRandom>()}};
  ntp::RxInfo rx_;
  std::array<std::byte, 2048> reply_{};
  bool first_ = true;
};

}  // namespace
}  // namespace timepool::ntpd

int main() {
  timepool::ntpd::Bench().run();
  return 0;
}
