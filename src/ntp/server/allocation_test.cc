// No allocation on the path of a request, whatever becomes of it: malloc itself is counted.
#include <gtest/gtest.h>

#include "base/counted_malloc.h"
#include "base/prng.h"
#include "ntp/server/responder.h"

namespace timepool::ntp {
namespace {

TEST(Allocation, none_in_a_hundred_thousand_requests_of_clients_known_new_limited_and_denied) {
#ifndef TIMEPOOL_COUNTS_MALLOC
  GTEST_SKIP() << "a sanitizer counts allocations itself";
#else
  Service service;
  service.state.leap = wire::ntp::Leap::kNone;
  service.state.stratum = 2;
  const std::vector<Prefix> deny{parse_prefix("64.0.0.0/4").value()};
  service.access = std::make_shared<AccessList>(
      std::make_shared<AccessRules>(AccessRules::build({}, deny).value()),
      std::vector<AccessList::Interface>());
  service.limits.enabled = true;
  service.limits.address = BucketRate::of(1, 8);
  for (BucketRate& it : service.limits.networks) it = BucketRate::of(10, 80);
  service.limits.newcomers = BucketRate::of(100, 100);
  service.limits.leak = 4;
  service.limits.kiss = 4;
  Responder responder(Responder::Options{.interleaved_replies = 64, .clients = 1024, .seed = {}});
  Prng prng(1);
  std::array<std::byte, 48> request{};
  request[0] = std::byte{0x23};
  std::array<std::byte, 48> reply{};
  std::array<std::uint64_t, kReasonCount> reasons{};
  const std::uint64_t before = allocations.load();
  for (int i = 0; i < 100'000; ++i) {
    RxInfo rx;
    rx.received = UnixTime::from_seconds(1'795'000'000);
    rx.now = MonoTime::from_ns(1'000'000'000 + std::int64_t{i} * 1'000'000);
    rx.client = {IpAddress::v4(static_cast<std::uint32_t>(
                     prng.below(2) == 0 ? prng.next() : 0x0a00'0000U + prng.below(100))),
                 40'000, 0};
    const Response response = responder.respond(rx, request, service, reply);
    ++reasons[static_cast<std::size_t>(response.reason)];
    if (response.verdict != Verdict::kReply) continue;
    responder.finish(response, service, rx.received, reply);
    responder.sent(response, service, rx.received);
  }
  EXPECT_EQ(allocations.load(), before);
  for (const Reason it :
       {Reason::kAnsweredPlain, Reason::kDenied, Reason::kRateLimited, Reason::kRateKod}) {
    EXPECT_GT(reasons[static_cast<std::size_t>(it)], 0U) << name_of(it);
  }
#endif
}

}  // namespace
}  // namespace timepool::ntp
