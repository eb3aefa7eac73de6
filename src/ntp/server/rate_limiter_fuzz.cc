// Any sequence of requests from a few addresses: the limiter says what buckets without tricks say.
// The first octets are the rates; then two octets a request: who, and how long after the last.
#include <array>
#include <cstdint>
#include <map>

#include "base/check.h"
#include "ntp/server/rate_limiter.h"

namespace timepool::ntp {
namespace {

// A bucket as the textbook has it: tokens in ticks, never more than its depth.
struct PlainBucket {
  std::uint64_t level = 0;
  std::uint64_t at = 0;

  void fill(std::uint64_t now, const BucketRate& rate) {
    level = at == 0 ? rate.depth : std::min(rate.depth, level + (now - at));
    at = now;
  }
};

struct Model {
  std::map<AddressKey, PlainBucket> addresses;
  std::map<std::pair<Network, AddressKey>, PlainBucket> networks;

  bool judge(const AddressKey& key, std::uint64_t now, const LimitSettings& settings) {
    std::array<std::pair<PlainBucket*, const BucketRate*>, 5> all{};
    std::size_t count = 0;
    all[count++] = {&addresses[key], &settings.address};
    for (std::size_t i = 0; i < kNetworkCount; ++i) {
      const auto network = static_cast<Network>(i);
      if ((network == Network::kV4Of24) != (key.high == 0)) continue;
      all[count++] = {&networks[{network, key_of(network, key)}], &settings.networks[i]};
    }
    bool pass = true;
    for (std::size_t i = 0; i < count; ++i) {
      const auto& [bucket, rate] = all[i];
      if (!rate->limits()) continue;
      bucket->fill(now, *rate);
      pass = pass && bucket->level >= rate->interval;
    }
    for (std::size_t i = 0; pass && i < count; ++i) {
      if (all[i].second->limits()) all[i].first->level -= all[i].second->interval;
    }
    return pass;
  }
};

BucketRate rate_of(std::uint8_t octet) {
  // 0 to 15 a second, a burst of 1 to 16.
  return BucketRate::of(octet >> 4, 1 + (octet & 15));
}

// Eight networks at each length, few enough that all buckets find their places.
IpAddress address_of_octet(std::uint8_t who) {
  if ((who & 0x80) == 0) return IpAddress::v4(0xc000'0000U | (who & 0x78U) << 5 | (who & 7U));
  return address_of(AddressKey{
      0x2001'0db8'0000'0000U | (who & 0x40U) << 10 | (who & 0x30U) << 4 | (who & 0xcU) >> 2,
      1U + (who & 3U)});
}

}  // namespace
}  // namespace timepool::ntp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  using namespace timepool::ntp;
  constexpr std::size_t kRates = 5;
  if (size < kRates) return 0;
  LimitSettings settings;
  settings.enabled = true;
  settings.address = rate_of(data[0]);
  for (std::size_t i = 0; i < kNetworkCount; ++i) settings.networks[i] = rate_of(data[1 + i]);
  RateLimiter limiter(8192, {{1, 2}, 3});
  Model model;
  MonoTime now = MonoTime::from_ns(1'000'000'000);
  std::uint64_t suspended = 0;
  std::uint64_t requests = 0;
  for (std::size_t i = kRates; i + 2 <= size && requests < 4096; i += 2, ++requests) {
    // 0 to 16 s, most often nothing.
    const std::int64_t wait = data[i + 1] < 128 ? 0 : (data[i + 1] - 127) * 125;
    now = now + Duration::milliseconds(wait);
    const IpAddress address = address_of_octet(data[i]);
    const LimitVerdict verdict = limiter.judge({address, 4, 3}, now, settings);
    const bool expected = model.judge(key_of(address), ticks_of(now), settings);
    const std::uint64_t spared = limiter.count(RateLimiter::Event::kSuspended) - suspended;
    suspended += spared;
    CHECK(verdict != LimitVerdict::kRate);
    CHECK((verdict == LimitVerdict::kPass) == (expected || spared == 1));
    CHECK(!expected || spared == 0);
  }
  CHECK(limiter.count(RateLimiter::Event::kLeaked) == 0);
  CHECK(limiter.count(RateLimiter::Event::kPushedOut) == 0);
  std::uint64_t seen = 0;
  for (const ClientReport& it : limiter.table().top(256, now)) seen += it.requests;
  CHECK(seen == requests);
  return 0;
}
