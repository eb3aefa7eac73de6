// What signing a zone's records costs, in microseconds of one core: one JSON object on standard
// output. "sign" is DnsKey::sign of 200 octets, which an RRSIG over four addresses has; "verify"
// for comparison.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/check.h"
#include "crypto/dns_key.h"

namespace timepool::crypto {
namespace {

constexpr int kRounds = 9;
constexpr int kInRound = 1000;
constexpr std::size_t kSigned = 200;

double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Do>
double microseconds(const Do& what) {
  std::array<double, kRounds> rounds{};
  for (double& round : rounds) {
    const double start = seconds_now();
    for (int i = 0; i < kInRound; ++i) what();
    round = (seconds_now() - start) * 1e6 / kInRound;
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[kRounds / 2];
}

void measure(dnssec::Algorithm algorithm, const char* name, const char* behind) {
  const auto key = DnsKey::generate(algorithm).value();
  std::array<std::byte, kSigned> data{};
  std::array<std::byte, dnssec::kSignatureSize> signature{};
  const double sign = microseconds([&] {
    data[0] ^= std::byte{1};
    CHECK(key->sign(data, signature));
  });
  const double verify = microseconds(
      [&] { CHECK(verify_dns_signature(algorithm, key->public_key(), data, signature)); });
  std::printf("\"%s_sign_us\": %.1f, \"%s_verify_us\": %.1f%s", name, sign, name, verify, behind);
}

}  // namespace
}  // namespace timepool::crypto

int main() {
  using timepool::dnssec::Algorithm;
  std::printf("{");
  timepool::crypto::measure(Algorithm::kEcdsaP256Sha256, "p256", ", ");
  timepool::crypto::measure(Algorithm::kEd25519, "ed25519", "}\n");
  return 0;
}
