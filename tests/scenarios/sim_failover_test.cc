// How long a dead server at poll 10 is kept, over many moments of its death. Seeds 1 to kRuns;
// TIMEPOOL_SIM_SEED=N runs that one alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/prng.h"
#include "sim/scenario.h"

namespace timepool::sim {
namespace {

constexpr std::uint64_t kRuns = 120;
constexpr Duration kDeath = Duration::seconds(7200);
constexpr Duration kAllowed = Duration::seconds(20 * 60);
constexpr Duration kMeanAllowed = Duration::seconds(11 * 60);

const IpAddress kDying = IpAddress::v4(0xc0000201);

// A pool of six addresses, of which one dies at `death`.
Scenario pool(Duration death) {
  Scenario out;
  out.duration = death + Duration::seconds(3600);
  DnsAnswer answer;
  answer.name = "pool.test";
  for (std::uint32_t i = 0; i < 6; ++i) {
    ServerConfig server;
    server.name = std::string(1, static_cast<char>('a' + i));
    server.address = IpAddress::v4(kDying.v4_bits() + (i << 8));
    server.link.loss = 0.01;
    if (i == 0) server.down = {{death, out.duration}};
    answer.servers.push_back(server.name);
    out.servers.push_back(server);
  }
  out.dns = {answer};
  ntp::SourceConfig source;
  source.name = "pool.test";
  source.kind = ntp::SourceKind::kPool;
  source.poll.minpoll = 10;
  source.poll.maxpoll = 10;
  out.sources = {source};
  return out;
}

// From its death until it was replaced.
Duration kept_for(std::uint64_t seed) {
  Prng prng(seed);
  const Duration death =
      kDeath + Duration::nanoseconds(static_cast<std::int64_t>(prng.below(2048) * 1'000'000'000 +
                                                               prng.below(1'000'000'000)));
  const Outcome outcome = run(pool(death), seed);
  for (const std::string& text : outcome.violations)
    ADD_FAILURE() << "seed " << seed << ": " << text;
  for (const TimedEvent& timed : outcome.events) {
    if (timed.event.kind != ntp::EventKind::kReplaced) continue;
    EXPECT_EQ(timed.event.server.address, kDying) << "seed " << seed;
    EXPECT_GE(timed.elapsed, death) << "seed " << seed;
    return timed.elapsed - death;
  }
  ADD_FAILURE() << "seed " << seed << ": it was not replaced";
  return Duration::seconds(3600);
}

TEST(SimFailover, F6_a_dead_server_at_poll_10_is_replaced_within_20_minutes_11_on_average) {
  std::uint64_t first = 1;
  std::uint64_t last = kRuns;
  if (const char* seed = std::getenv("TIMEPOOL_SIM_SEED"); seed != nullptr) {
    first = last = std::strtoull(seed, nullptr, 10);
  }
  Duration worst;
  Duration sum;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const Duration kept = kept_for(seed);
    EXPECT_LE(kept, kAllowed) << "seed " << seed;
    worst = std::max(worst, kept);
    sum += kept;
  }
  const Duration mean = sum / static_cast<std::int64_t>(last - first + 1);
  std::printf("seeds %llu to %llu: worst %s, mean %s\n", static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(last), format(worst).c_str(), format(mean).c_str());
  if (last > first) {
    EXPECT_LE(mean, kMeanAllowed);
  }
}

}  // namespace
}  // namespace timepool::sim
