// A day of abuse in simulated time: floods in the names of others, addresses made up one after the
// other, a site that changes its address with each request, requests caught and sent again,
// requests with a bit turned over, two servers played off against each other. All at once, with
// honest clients in between. Rates and limits are a hundredth of what they are on the Internet, so
// that a day takes seconds; what matters is how they stand to each other.
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "ntp/server/responder.h"
#include "nts/testing.h"
#include "nts/testing_client.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {
namespace {

constexpr std::int64_t kDay = 86'400;
// Fewer than the addresses that the flood makes up in the time for which one is remembered.
constexpr std::size_t kClients = 1024;
constexpr std::uint64_t kSeed = 20'261'121;
constexpr std::size_t kLongest = 2048;  // a datagram that is looked at
using Octets = std::array<std::byte, wire::ntp::kHeaderSize>;

Service synchronised_service() {
  Service out;
  out.state.leap = wire::ntp::Leap::kNone;
  out.state.stratum = 2;
  out.state.reference_time = UnixTime::from_seconds(1'795'000'000);
  out.limits.enabled = true;
  out.limits.address = BucketRate::of(1, 10);
  out.limits.networks[static_cast<std::size_t>(Network::kV4Of24)] = BucketRate::of(10, 80);
  out.limits.networks[static_cast<std::size_t>(Network::kV6Of64)] = BucketRate::of(1, 10);
  out.limits.networks[static_cast<std::size_t>(Network::kV6Of56)] = BucketRate::of(2, 20);
  out.limits.networks[static_cast<std::size_t>(Network::kV6Of48)] = BucketRate::of(3, 30);
  out.limits.newcomers = BucketRate::of(8, 100);
  out.limits.leak = 4;
  out.limits.kiss = 16;
  return out;
}

Responder::Options options(std::uint64_t seed) {
  Responder::Options out;
  out.interleaved_replies = 1024;
  out.clients = kClients;
  out.seed = {{seed, seed + 1}, seed + 2};
  out.aeads = std::make_shared<nts::fake::TestAeadMaker>();
  out.random = std::make_shared<nts::fake::SeededRandom>(seed);
  return out;
}

Octets request(Prng& prng) {
  wire::ntp::Header header;
  header.version = 4;
  header.mode = wire::ntp::Mode::kClient;
  header.poll = 6;
  header.transmit = NtpTimestamp::from_bits(prng.next());
  Octets out;
  ByteWriter writer(out);
  wire::ntp::write_header(header, writer);
  return out;
}

IpAddress network_of_v6(std::uint64_t site, std::uint64_t host) {
  return address_of(AddressKey{0x2001'0000'0000'0000U | site << 16, host});
}

// An honest client: one request each `poll` seconds, from a network of its own.
struct Good {
  IpAddress address;
  std::int64_t poll = 64;
  std::int64_t next = 0;
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
};

class Abuse : public ::testing::Test {
 protected:
  // What became of a request; every checker that holds for all of them.
  Reason send(const IpAddress& from, std::uint16_t port, Bytes bytes) {
    const RxInfo rx{UnixTime::from_seconds(1'795'000'000 + second_),
                    {from, port, 0},
                    {IpAddress::v4(0x7f00'0001), 123, 0},
                    0,
                    MonoTime::from_ns(0) + Duration::seconds(1000 + second_)};
    std::array<std::byte, kLongest> out{};
    const Response response = server_.respond(rx, bytes, service_, out);
    ++reasons_[static_cast<std::size_t>(response.reason)];
    ++sent_;
    EXPECT_LE(response.length, bytes.size());
    EXPECT_EQ(response.verdict == Verdict::kReply,
              is_answered(response.reason) || is_kiss(response.reason));
    if (response.verdict == Verdict::kDrop) return response.reason;
    const MutableBytes reply = MutableBytes(out).first(response.length);
    server_.finish(response, service_, rx.received, reply);
    server_.sent(response, service_, rx.received);
    // To another server, and to this one, from wherever it may seem to come.
    for (const std::uint16_t reply_port : {std::uint16_t{123}, port}) {
      RxInfo back = rx;
      back.client.port = reply_port;
      std::array<std::byte, kLongest> unwanted{};
      EXPECT_EQ(other_.respond(back, reply, service_, unwanted).verdict, Verdict::kDrop);
      EXPECT_EQ(server_.respond(back, reply, service_, unwanted).verdict, Verdict::kDrop);
    }
    return response.reason;
  }
  Reason send(const IpAddress& from, Bytes bytes) { return send(from, 40'000, bytes); }

  void ask(Good& it) {
    const Octets bytes = request(prng_);
    ++it.asked;
    it.answered += is_answered(send(it.address, bytes)) ? 1U : 0U;
    // Caught on the way: sent again, and with a bit turned over.
    if (prng_.below(4) == 0) send(it.address, bytes);
    if (prng_.below(4) == 0) {
      Octets corrupt = bytes;
      const std::uint64_t bit = prng_.below(corrupt.size() * 8);
      corrupt[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      send(it.address, static_cast<std::uint16_t>(prng_.below(2) == 0 ? 123 : 40'000), corrupt);
    }
  }

  void make_good_clients() {
    for (std::uint64_t i = 0; i < 100; ++i) {
      Good it;
      const auto site = static_cast<std::uint32_t>(i);
      it.address = i % 2 == 0 ? IpAddress::v4(0x0a00'0005U | site << 8) : network_of_v6(i, 5);
      it.poll = std::int64_t{64} << i % 5;
      it.next = static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(it.poll)));
      good_.push_back(it);
    }
  }

  // Those come in the middle of it, when nobody knows them.
  void make_late_clients() {
    for (std::uint64_t i = 0; i < 100; ++i) {
      Good it;
      const auto site = static_cast<std::uint32_t>(i);
      it.address = i % 2 == 0 ? IpAddress::v4(0x0b00'0005U | site << 8) : network_of_v6(500 + i, 5);
      it.next = second_ + static_cast<std::int64_t>(prng_.below(64));
      late_.push_back(it);
    }
  }

  void ask_all(std::vector<Good>& clients) {
    for (Good& it : clients) {
      if (second_ < it.next) continue;
      it.next += it.poll;
      ask(it);
    }
  }

  void flood() {
    const Octets bytes = request(prng_);
    for (int i = 0; i < 12; ++i) {  // addresses of the whole Internet
      const std::uint64_t bits = prng_.next();
      send(bits % 2 == 0 ? IpAddress::v4(static_cast<std::uint32_t>(bits >> 32) | 0x4000'0000U)
                         : address_of(AddressKey{bits >> 3 | 0x3000'0000'0000'0000U, bits}),
           bytes);
    }
    for (int i = 0; i < 6; ++i) {  // one site with an address for each request
      from_site_ += is_answered(send(network_of_v6(777'777, prng_.next()), bytes)) ? 1U : 0U;
    }
    for (int i = 0; i < 6; ++i) send(victim_.address, bytes);
  }

  // Four tries, two seconds apart, of which one is enough.
  void victim_asks() {
    if (second_ % 64 >= 8 || second_ % 2 != 0) return;
    if (second_ % 64 == 0) {
      ++victim_.asked;
      served_ = false;
    }
    if (is_answered(send(victim_.address, request(prng_))) && !served_) {
      served_ = true;
      ++victim_.answered;
    }
  }

  static std::pair<std::uint64_t, std::uint64_t> sum_of(const std::vector<Good>& clients) {
    std::pair<std::uint64_t, std::uint64_t> out{0, 0};
    for (const Good& it : clients) out = {out.first + it.asked, out.second + it.answered};
    return out;
  }

  Prng prng_{kSeed};
  Service service_ = synchronised_service();
  Responder server_{options(kSeed)};
  Responder other_{options(kSeed + 10)};
  std::vector<Good> good_;
  std::vector<Good> late_;
  Good victim_{IpAddress::v4(0xc000'0201), 64, 0, 0, 0};
  bool served_ = false;
  std::uint64_t from_site_ = 0;
  std::int64_t second_ = 0;
  std::uint64_t sent_ = 0;
  std::array<std::uint64_t, kReasonCount> reasons_{};
};

TEST_F(Abuse, B31_a_day_of_it_costs_honest_clients_less_than_one_answer_in_a_hundred) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  make_good_clients();
  const std::size_t octets = server_.limiter()->octets();
  for (second_ = 0; second_ < kDay; ++second_) {
    // The floods begin when the clients have asked twice, and pause for an hour.
    const bool quiet = second_ < 2200 || (second_ > kDay / 2 && second_ < kDay / 2 + 3600);
    if (!quiet) flood();
    victim_asks();
    if (second_ == 20'000) make_late_clients();
    ask_all(good_);
    ask_all(late_);
  }
  const auto [asked, answered] = sum_of(good_);
  const auto [late_asked, late_answered] = sum_of(late_);
  for (const Good& it : good_) {
    EXPECT_GT(static_cast<double>(it.answered), 0.97 * static_cast<double>(it.asked))
        << format(it.address) << " asks each " << it.poll << " s";
  }
  EXPECT_GT(static_cast<double>(answered), 0.99 * static_cast<double>(asked));
  // Until they are known they share a bucket with the made-up addresses.
  EXPECT_GT(static_cast<double>(late_answered), 0.99 * static_cast<double>(late_asked));
  const RateLimiter& limiter = *server_.limiter();
  EXPECT_GT(limiter.count(RateLimiter::Event::kPushedOut), 0U);
  EXPECT_GT(limiter.count(RateLimiter::Event::kUntracked), 0U);
  // 1 - 0.75^4 is 0.68; in the quiet hours all.
  EXPECT_GT(static_cast<double>(victim_.answered), 0.6 * static_cast<double>(victim_.asked));
  // The site's rate, and a quarter of what is over it by the leak.
  EXPECT_LT(static_cast<double>(from_site_), (3 + 0.25 * 3) * 1.05 * kDay);
  EXPECT_EQ(server_.limiter()->octets(), octets);
  EXPECT_LE(server_.limiter()->table().used(), kClients);
  std::uint64_t sum = 0;
  for (const std::uint64_t count : reasons_) sum += count;
  EXPECT_EQ(sum, sent_) << "one reason for each datagram";
  EXPECT_GT(sent_, 1'900'000U);
  EXPECT_GT(reasons_[static_cast<std::size_t>(Reason::kRateKod)], 0U);
  std::cout << "seed " << kSeed << ": good clients " << answered << " of " << asked
            << ", late ones " << late_answered << " of " << late_asked << ", victim "
            << victim_.answered << " of " << victim_.asked << ", " << sent_ << " datagrams, "
            << limiter.count(RateLimiter::Event::kPushedOut) << " pushed out, "
            << limiter.count(RateLimiter::Event::kUntracked) << " not remembered\n";
}

TEST_F(Abuse, two_servers_fed_each_others_packets_fall_silent_at_once) {
  // Whatever begins it: every first octet, some lengths, from the port of a server and from
  // another; and requests under NTS, good ones and such as get an NTSN.
  service_.limits.enabled = false;
  service_.cookies = std::make_shared<nts::CookieKeys>(nts::fake::cookie_keys(1));
  std::uint64_t replies = 0;
  for (unsigned first = 0; first < 256; ++first) {
    for (const std::size_t length : {1U, 12U, 47U, 48U, 52U, 68U, 72U, 100U, 232U, 1024U}) {
      for (const std::uint16_t port : {std::uint16_t{123}, std::uint16_t{40'000}}) {
        std::vector<std::byte> bytes(length);
        for (std::byte& it : bytes) it = static_cast<std::byte>(prng_.next());
        bytes[0] = static_cast<std::byte>(first);
        // send() hands each reply to both servers and demands silence.
        replies += is_answered(send(IpAddress::v4(0x7f00'0002), port, bytes)) ? 1U : 0U;
      }
    }
  }
  EXPECT_GT(replies, 0U);
  nts::fake::SeededRandom random(kSeed);
  nts::Cookies maker(nts::fake::TestAeadMaker(), random);
  maker.use(*service_.cookies);
  const nts::SessionKeys keys = nts::fake::session_keys(AeadId::kAesSivCmac256, 1);
  const auto aead = nts::fake::TestAeadMaker().make(keys.aead);
  for (std::size_t i = 0; i < 64; ++i) {
    auto bytes = nts::fake::make_request(keys, nts::fake::make_cookie(maker, keys), *aead, random,
                                         {.placeholders = i % 8, .padding = i / 4 * 4});
    if (i % 2 == 1) bytes[wire::ntp::kHeaderSize + 60] ^= std::byte{1};
    send(IpAddress::v4(0x7f00'0002), i % 3 == 0 ? 123 : 40'000, bytes);
  }
  for (const Reason it : {Reason::kAnsweredNts, Reason::kNtsNak}) {
    EXPECT_EQ(reasons_[static_cast<std::size_t>(it)], 32U) << name_of(it);
  }
}

}  // namespace
}  // namespace timepool::ntp
