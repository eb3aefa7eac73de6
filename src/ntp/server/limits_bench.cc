// What a look-up in the access list and a decision of the limiter cost, in nanoseconds: one JSON
// object on standard output. The addresses asked for are random and more than any cache of
// addresses holds; the tables are as warm as such a sequence leaves them.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "base/prng.h"
#include "ntp/server/access_list.h"
#include "ntp/server/rate_limiter.h"

namespace timepool::ntp {
namespace {

constexpr std::size_t kAsked = 1 << 16;
constexpr std::size_t kEntries = 100'000;
constexpr std::size_t kClients = 65'536;

IpAddress random_v4(Prng& prng) {
  return IpAddress::v4(static_cast<std::uint32_t>(prng.next()));
}
// In 2000::/3, where all that is given out lies.
IpAddress random_v6(Prng& prng) {
  return address_of(AddressKey{prng.next() >> 3 | 1ULL << 61, prng.next()});
}

std::vector<IpAddress> addresses(bool v4, std::size_t count, std::uint64_t seed) {
  Prng prng(seed);
  std::vector<IpAddress> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(v4 ? random_v4(prng) : random_v6(prng));
  return out;
}

// Of this thread alone: others on the machine don't count.
double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The median of nine rounds over `asked`, in ns for each.
template <class Ask>
double measure(const std::vector<IpAddress>& asked, const Ask& ask) {
  std::array<double, 9> rounds;
  for (double& round : rounds) {
    const double start = seconds_now();
    for (const IpAddress& it : asked) ask(it);
    round = (seconds_now() - start) * 1e9 / static_cast<double>(asked.size());
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[rounds.size() / 2];
}

void print(const char* name, double value) {
  static bool first = true;
  std::printf("%s\"%s\": %.1f", first ? "{" : ",\n ", name, value);
  first = false;
}

void bench_access(bool v4, bool full) {
  Prng prng(11);
  std::vector<Prefix> deny;
  for (std::size_t i = 0; full && i < kEntries; ++i) {
    const int length = static_cast<int>(v4 ? 12 + prng.below(21) : 24 + prng.below(105));
    deny.emplace_back(v4 ? random_v4(prng) : random_v6(prng), length);
  }
  const double start = seconds_now();
  const AccessList list(std::make_shared<AccessRules>(AccessRules::build({}, deny).value()), {});
  if (full) print(v4 ? "access_v4_build_ms" : "access_v6_build_ms", (seconds_now() - start) * 1e3);
  std::size_t served = 0;
  const double ns = measure(addresses(v4, kAsked, 12),
                            [&](const IpAddress& it) { served += list.serves(it, 0) ? 1U : 0U; });
  if (served == 0) std::fputs("nobody is served\n", stderr);
  print(full ? (v4 ? "access_v4_100000_ns" : "access_v6_100000_ns")
             : (v4 ? "access_v4_empty_ns" : "access_v6_empty_ns"),
        ns);
}

LimitSettings all_levels() {
  LimitSettings out;
  out.enabled = true;
  out.address = BucketRate::of(100, 1000);
  for (BucketRate& it : out.networks) it = BucketRate::of(1000, 8000);
  out.newcomers = BucketRate::of(100'000, 100'000);
  out.leak = 4;
  out.kiss = 16;
  return out;
}

void bench_limiter(bool v4, bool full) {
  RateLimiter limiter(kClients, {{1, 2}, 3});
  const LimitSettings settings = all_levels();
  MonoTime now = MonoTime::from_ns(1'000'000'000'000);
  const auto ask = [&](const IpAddress& it) {
    now = now + Duration::microseconds(10);
    limiter.judge({it, 4, 3}, now, settings);
  };
  // Full: every place has an owner that came again, and those are who asks. Else one client asks.
  const std::vector<IpAddress> asked =
      full ? addresses(v4, kAsked, 13) : std::vector<IpAddress>(kAsked, addresses(v4, 1, 14)[0]);
  for (int i = 0; full && i < 2; ++i) std::for_each(asked.begin(), asked.end(), ask);
  print(full ? (v4 ? "limit_v4_full_ns" : "limit_v6_full_ns")
             : (v4 ? "limit_v4_one_client_ns" : "limit_v6_one_client_ns"),
        measure(asked, ask));
  if (!full) return;
  print(v4 ? "limit_v4_newcomers_ns" : "limit_v6_newcomers_ns",
        measure(addresses(v4, 4 * kAsked, 15), ask));
}

}  // namespace
}  // namespace timepool::ntp

int main() {
  using namespace timepool::ntp;
  for (const bool v4 : {true, false}) {
    for (const bool full : {false, true}) {
      bench_access(v4, full);
      bench_limiter(v4, full);
    }
  }
  print("octets_per_client", static_cast<double>(RateLimiter(kClients, {}).octets()) / kClients);
  std::puts("}");
  return 0;
}
