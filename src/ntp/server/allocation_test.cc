// No allocation on the path of a request, whatever becomes of it: malloc itself is counted.
#include <gtest/gtest.h>

#include "base/counted_malloc.h"
#include "base/prng.h"
#include "ntp/server/responder.h"
#include "nts/testing.h"
#include "nts/testing_client.h"

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

TEST(Allocation, none_in_ten_thousand_requests_under_nts_good_and_bad_and_over_a_rotation) {
#ifndef TIMEPOOL_COUNTS_MALLOC
  GTEST_SKIP() << "a sanitizer counts allocations itself";
#else
  Service service;
  service.cookies = std::make_shared<nts::CookieKeys>(nts::fake::cookie_keys(1));
  const auto others = std::make_shared<nts::CookieKeys>(nts::fake::cookie_keys(2));
  Responder::Options options;
  options.interleaved_replies = 64;
  options.aeads = std::make_shared<nts::fake::TestAeadMaker>();
  options.random = std::make_shared<nts::fake::SeededRandom>(1);
  Responder responder(options);
  nts::fake::SeededRandom random(2);
  nts::Cookies maker(*options.aeads, random);
  maker.use(*service.cookies);
  std::vector<nts::fake::Octets> requests;
  for (const AeadId id : {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv}) {
    const nts::SessionKeys keys = nts::fake::session_keys(id, 1);
    const auto aead = options.aeads->make(id);
    for (const std::size_t placeholders : {0U, 7U}) {
      requests.push_back(nts::fake::make_request(keys, nts::fake::make_cookie(maker, keys), *aead,
                                                 random, {.placeholders = placeholders}));
    }
    requests.push_back(requests.back());
    requests.back().back() ^= std::byte{1};
    requests.push_back(requests.front());
    requests.back()[60] ^= std::byte{1};
  }
  std::array<std::byte, 2048> reply{};
  std::array<std::uint64_t, kReasonCount> reasons{};
  RxInfo rx;
  rx.client = {IpAddress::v4(0x0a00'0001), 40'000, 0};
  rx.now = MonoTime::from_ns(1'000'000'000);
  responder.respond(rx, requests[0], service, reply);
  const std::uint64_t before = allocations.load();
  for (std::size_t i = 0; i < 10'000; ++i) {
    if (i == 8000) service.cookies = others;
    const Response response = responder.respond(rx, requests[i % requests.size()], service, reply);
    ++reasons[static_cast<std::size_t>(response.reason)];
    if (response.verdict != Verdict::kReply) continue;
    responder.finish(response, service, rx.received, MutableBytes(reply).first(response.length));
  }
  EXPECT_EQ(allocations.load(), before);
  for (const Reason it :
       {Reason::kAnsweredUnsynchronised, Reason::kNtsNak, Reason::kNtsNakLimited}) {
    EXPECT_GT(reasons[static_cast<std::size_t>(it)], 0U) << name_of(it);
  }
#endif
}

}  // namespace
}  // namespace timepool::ntp
