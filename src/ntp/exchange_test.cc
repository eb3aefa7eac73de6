#include "ntp/exchange.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <functional>
#include <set>
#include <vector>

#include "base/hex.h"
#include "ntp/server/responder.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Leap;
using wire::ntp::Mode;
using Octets = std::vector<std::byte>;

const UnixTime kStart = parse_utc("2026-11-21T12:00:00Z").value();

LocalTime local_at(Duration since) {
  return {MonoTime::from_ns(5'000'000'000) + since, kStart + since};
}

// A client, a server 250 ms ahead of it, and 10 ms of way each way.
class ExchangeTest : public testing::Test {
 protected:
  ExchangeTest() {
    state_.leap = Leap::kNone;
    state_.stratum = 1;
    state_.reference_time = kStart - Duration::seconds(10);
    state_.test_offset = Duration::milliseconds(250);
  }

  Octets start() {
    std::array<std::byte, 128> buffer{};
    ByteWriter writer(buffer);
    EXPECT_TRUE(exchange_.start(local_at({}), random_, authenticator_, writer));
    return {writer.written().begin(), writer.written().end()};
  }
  Octets reply_to(const Octets& request, const std::function<void(Header&)>& change = {}) {
    Octets out(wire::ntp::kHeaderSize);
    const RxInfo rx{kStart + Duration::milliseconds(10), {IpAddress::v4(0xc0000263), 40000, 0}, {}};
    EXPECT_EQ(respond(rx, request, state_, out).verdict, Verdict::kReply);
    set_transmit(out, state_, kStart + Duration::milliseconds(11));
    if (!change) return out;
    ByteReader reader(out);
    Header header = wire::ntp::read_header(reader);
    change(header);
    ByteWriter writer(out);
    wire::ntp::write_header(header, writer);
    return out;
  }
  Reply receive(const Octets& datagram, Duration since = Duration::milliseconds(21)) {
    const LocalTime now = local_at(since);
    return exchange_.handle_datagram({now, now.raw}, datagram, authenticator_);
  }
  ReplyReason reason_of_changed(const std::function<void(Header&)>& change) {
    return receive(reply_to(start(), change)).reason;
  }

  ServerState state_;
  RandomStream random_{SiphashKey{1, 2}};
  NoAuthentication authenticator_;
  Exchange exchange_{ExchangeConfig{}};
};

TEST_F(ExchangeTest, B23_a_request_says_nothing_but_version_mode_and_a_random_timestamp) {
  const Octets first = start();
  const Octets second = start();
  EXPECT_EQ(to_hex(first).substr(0, 80), "23" + std::string(78, '0'));
  EXPECT_NE(to_hex(first).substr(80), to_hex(second).substr(80));
  EXPECT_NE(to_hex(first).substr(80), std::string(16, '0'));
}

TEST_F(ExchangeTest, measures_offset_delay_and_dispersion_by_rfc5905) {
  const Reply reply = receive(reply_to(start()));
  ASSERT_EQ(reply.reason, ReplyReason::kAccepted);
  EXPECT_TRUE(reply.has_times);
  EXPECT_LE((reply.sample.offset - Duration::milliseconds(250)).abs(), Duration::nanoseconds(2));
  EXPECT_LE((reply.sample.delay - Duration::milliseconds(20)).abs(), Duration::nanoseconds(2));
  // 2^-20 s twice and 21 ms of 50 parts in a million.
  EXPECT_EQ(reply.sample.dispersion, Duration::nanoseconds(953 + 953 + 1050));
  EXPECT_EQ(reply.sample.stratum, 1);
}

TEST_F(ExchangeTest, the_kernels_time_of_sending_replaces_our_own) {
  const Octets request = start();
  exchange_.handle_transmit_timestamp({kStart + Duration::milliseconds(4)});
  const Reply reply = receive(reply_to(request));
  EXPECT_LE((reply.sample.delay - Duration::milliseconds(16)).abs(), Duration::nanoseconds(2));
}

TEST_F(ExchangeTest, an_impossible_time_of_sending_is_ignored) {
  const Octets request = start();
  exchange_.handle_transmit_timestamp({kStart - Duration::milliseconds(1)});
  exchange_.handle_transmit_timestamp({kStart + Duration::seconds(2)});
  const Reply reply = receive(reply_to(request));
  EXPECT_LE((reply.sample.delay - Duration::milliseconds(20)).abs(), Duration::nanoseconds(2));
}

TEST_F(ExchangeTest, works_across_the_end_of_the_ntp_era) {
  const UnixTime end = parse_utc("2036-02-07T06:28:15.99Z").value();
  std::array<std::byte, 48> buffer{};
  ByteWriter writer(buffer);
  ASSERT_TRUE(exchange_.start({MonoTime(), end}, random_, authenticator_, writer));
  state_.reference_time = end;
  Octets reply(48);
  const RxInfo rx{end + Duration::milliseconds(10), {IpAddress::v4(0xc0000263), 40000, 0}, {}};
  ASSERT_EQ(respond(rx, buffer, state_, reply).verdict, Verdict::kReply);
  set_transmit(reply, state_, end + Duration::milliseconds(10));
  const LocalTime now{MonoTime() + Duration::milliseconds(20), end + Duration::milliseconds(20)};
  const Reply got = exchange_.handle_datagram({now, now.raw}, reply, authenticator_);
  ASSERT_EQ(got.reason, ReplyReason::kAccepted);
  EXPECT_LE((got.sample.offset - Duration::milliseconds(250)).abs(), Duration::nanoseconds(2));
}

TEST_F(ExchangeTest, B8_a_reply_without_a_request_is_unsolicited) {
  const Octets request = start();
  Exchange idle{ExchangeConfig{}};
  const LocalTime now = local_at({});
  EXPECT_EQ(idle.handle_datagram({now, now.raw}, reply_to(request), authenticator_).reason,
            ReplyReason::kUnsolicited);
}

TEST_F(ExchangeTest, B29_ignores_a_reply_with_wrong_origin_and_still_takes_the_right_one) {
  const Octets request = start();
  const Octets wrong = reply_to(request, [](Header& header) {
    header.origin = NtpTimestamp::from_bits(header.origin.bits() ^ 1);
  });
  EXPECT_EQ(receive(wrong).reason, ReplyReason::kWrongOrigin);
  EXPECT_EQ(receive(reply_to(request)).reason, ReplyReason::kAccepted);
}

TEST_F(ExchangeTest, B29_ignores_a_reply_with_zero_origin) {
  EXPECT_EQ(reason_of_changed([](Header& header) { header.origin = {}; }),
            ReplyReason::kZeroOrigin);
  EXPECT_TRUE(exchange_.waiting());
}

TEST_F(ExchangeTest, a_second_copy_of_a_reply_is_a_duplicate) {
  const Octets reply = reply_to(start());
  EXPECT_EQ(receive(reply).reason, ReplyReason::kAccepted);
  EXPECT_EQ(receive(reply).reason, ReplyReason::kDuplicate);
}

TEST_F(ExchangeTest, an_answer_to_an_earlier_request_is_late_or_a_replay) {
  const Octets unanswered = reply_to(start());
  const Octets answered = reply_to(start());
  EXPECT_EQ(receive(answered).reason, ReplyReason::kAccepted);
  static_cast<void>(start());
  EXPECT_EQ(receive(unanswered).reason, ReplyReason::kLate);
  EXPECT_EQ(receive(answered).reason, ReplyReason::kReplayed);
  EXPECT_TRUE(exchange_.waiting());
  // What is older than the last eight requests is a forgery like any other.
  for (int i = 0; i < 9; ++i) static_cast<void>(start());
  EXPECT_EQ(receive(answered).reason, ReplyReason::kWrongOrigin);
}

TEST_F(ExchangeTest, an_abandoned_exchange_takes_no_answer) {
  const Octets reply = reply_to(start());
  exchange_.abandon();
  EXPECT_EQ(receive(reply).reason, ReplyReason::kLate);
  EXPECT_FALSE(exchange_.waiting());
}

TEST_F(ExchangeTest, the_answer_to_a_packet_of_warming_up_is_nothing) {
  std::array<std::byte, 128> buffer{};
  ByteWriter writer(buffer);
  ASSERT_TRUE(exchange_.warm_up(random_, authenticator_, writer));
  const Octets warm_up(writer.written().begin(), writer.written().end());
  EXPECT_EQ(to_hex(warm_up).substr(0, 80), "23" + std::string(78, '0'));
  EXPECT_EQ(receive(reply_to(warm_up)).reason, ReplyReason::kWarmUp);
  const Octets request = start();
  EXPECT_EQ(receive(reply_to(warm_up)).reason, ReplyReason::kWarmUp);
  EXPECT_EQ(receive(reply_to(request)).reason, ReplyReason::kAccepted);
}

TEST_F(ExchangeTest, B9_a_broadcast_that_comes_early_is_named) {
  const Octets request = start();
  const auto broadcast = [&](Duration since) {
    return receive(reply_to(request,
                            [](Header& header) {
                              header.mode = Mode::kBroadcast;
                              header.poll = 6;
                              header.origin = {};
                            }),
                   since)
        .reason;
  };
  EXPECT_EQ(broadcast(Duration::seconds(1)), ReplyReason::kWrongMode);
  EXPECT_EQ(broadcast(Duration::seconds(65)), ReplyReason::kWrongMode);
  EXPECT_EQ(broadcast(Duration::seconds(66)), ReplyReason::kEarlyBroadcast);
  EXPECT_EQ(broadcast(Duration::seconds(130)), ReplyReason::kWrongMode);
  EXPECT_TRUE(exchange_.waiting());
}

TEST_F(ExchangeTest, B10_a_servers_time_that_goes_back_is_stale_until_it_stays) {
  const auto ask = [&](Duration server_is_off) {
    state_.test_offset = server_is_off;
    return receive(reply_to(start())).reason;
  };
  EXPECT_EQ(ask(Duration::milliseconds(250)), ReplyReason::kAccepted);
  // Half a second back is a clock that was set right.
  EXPECT_EQ(ask(Duration::milliseconds(-250)), ReplyReason::kAccepted);
  EXPECT_EQ(ask(Duration::seconds(-3600)), ReplyReason::kStaleTimestamp);
  EXPECT_EQ(ask(Duration()), ReplyReason::kAccepted);
  for (int i = 0; i < kMaxStaleInARow; ++i) {
    EXPECT_EQ(ask(Duration::seconds(-3600)), ReplyReason::kStaleTimestamp);
  }
  EXPECT_EQ(ask(Duration::seconds(-3600)), ReplyReason::kAccepted);
}

TEST_F(ExchangeTest, B10_a_time_before_any_possible_one_is_always_stale) {
  ExchangeConfig config;
  config.earliest = kStart - Duration::seconds(86'400);
  exchange_ = Exchange(config);
  state_.test_offset = Duration::seconds(-86'500);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(receive(reply_to(start())).reason, ReplyReason::kStaleTimestamp);
  }
  state_.test_offset = Duration::seconds(-86'300);
  EXPECT_EQ(receive(reply_to(start())).reason, ReplyReason::kAccepted);
}

TEST_F(ExchangeTest, a_reply_from_before_its_request_is_too_early) {
  const Octets reply = reply_to(start());
  const LocalTime now = local_at(Duration::milliseconds(21));
  const ReplyRx rx{now, kStart - Duration::milliseconds(2), StampSource::kKernel, {}};
  EXPECT_EQ(exchange_.handle_datagram(rx, reply, authenticator_).reason, ReplyReason::kTooEarly);
}

TEST_F(ExchangeTest, B32_a_rate_kiss_with_a_long_poll_has_a_reason_of_its_own) {
  const auto rate = [&](std::int8_t poll) {
    return reason_of_changed([&](Header& header) {
      header.stratum = 0;
      header.reference_id = wire::ntp::kKissRate;
      header.poll = poll;
    });
  };
  EXPECT_EQ(rate(13), ReplyReason::kKissRate);
  EXPECT_EQ(rate(14), ReplyReason::kKissRateLong);
  EXPECT_EQ(rate(127), ReplyReason::kKissRateLong);
  EXPECT_EQ(rate(-128), ReplyReason::kKissRate);
}

TEST_F(ExchangeTest, hardware_timestamps_bring_their_own_error) {
  ExchangeConfig config;
  config.precision = -20;
  exchange_ = Exchange(config);
  const Octets request = start();
  const Duration error = Duration::nanoseconds(20);
  exchange_.handle_transmit_timestamp(
      {kStart + Duration::milliseconds(4), StampSource::kHardware, error});
  // A software timestamp that comes later does not replace it.
  exchange_.handle_transmit_timestamp({kStart + Duration::milliseconds(2), StampSource::kKernel});
  const Octets reply = reply_to(request, [](Header& header) { header.precision = -30; });
  const LocalTime now = local_at(Duration::milliseconds(22));
  const UnixTime received = kStart + Duration::milliseconds(21);
  const Reply got = exchange_.handle_datagram({now, received, StampSource::kHardware, error}, reply,
                                              authenticator_);
  ASSERT_EQ(got.reason, ReplyReason::kAccepted);
  EXPECT_LE((got.sample.delay - Duration::milliseconds(16)).abs(), Duration::nanoseconds(2));
  // The error of the timestamps, the server's precision, and 17 ms of 50 parts in a million.
  EXPECT_EQ(got.sample.dispersion, Duration::nanoseconds(20 + 1 + 850));
  EXPECT_EQ(got.sample.sent_by, StampSource::kHardware);
  EXPECT_EQ(got.sample.received_by, StampSource::kHardware);
  EXPECT_LE((got.sample.response - Duration::milliseconds(1)).abs(), Duration::nanoseconds(2));
}

TEST_F(ExchangeTest, only_servers_of_our_version_or_below_are_heard) {
  EXPECT_EQ(reason_of_changed([](Header& header) { header.mode = Mode::kClient; }),
            ReplyReason::kWrongMode);
  EXPECT_EQ(reason_of_changed([](Header& header) { header.mode = Mode::kBroadcast; }),
            ReplyReason::kWrongMode);
  EXPECT_EQ(reason_of_changed([](Header& header) { header.version = 3; }), ReplyReason::kAccepted);
  ExchangeConfig version_3;
  version_3.version = 3;
  exchange_ = Exchange(version_3);
  EXPECT_EQ(reason_of_changed([](Header& header) { header.version = 4; }),
            ReplyReason::kWrongVersion);
}

TEST_F(ExchangeTest, B30_a_kiss_counts_with_the_right_origin_only) {
  const auto rate = [](Header& header) {
    header.stratum = 0;
    header.leap = Leap::kUnsynchronised;
    header.reference_id = wire::ntp::kKissRate;
  };
  EXPECT_EQ(reason_of_changed([&](Header& header) {
              rate(header);
              header.origin = NtpTimestamp::from_bits(7);
            }),
            ReplyReason::kWrongOrigin);
  const Reply reply = receive(reply_to(start(), rate));
  EXPECT_EQ(reply.reason, ReplyReason::kKissRate);
  EXPECT_FALSE(reply.has_times);
}

TEST_F(ExchangeTest, each_kiss_has_its_reason) {
  const auto kiss = [&](std::string_view code) {
    return reason_of_changed([&](Header& header) {
      header.stratum = 0;
      header.reference_id = wire::ntp::ReferenceId::from_text(code);
    });
  };
  EXPECT_EQ(kiss("RATE"), ReplyReason::kKissRate);
  EXPECT_EQ(kiss("DENY"), ReplyReason::kKissDeny);
  EXPECT_EQ(kiss("RSTR"), ReplyReason::kKissRstr);
  EXPECT_EQ(kiss("STEP"), ReplyReason::kKissOther);
}

TEST_F(ExchangeTest, an_unsynchronised_server_is_measured_but_not_accepted) {
  state_.leap = Leap::kUnsynchronised;
  const Reply reply = receive(reply_to(start()));
  EXPECT_EQ(reply.reason, ReplyReason::kUnsynchronised);
  EXPECT_TRUE(reply.has_times);
  EXPECT_LE((reply.sample.offset - Duration::milliseconds(250)).abs(), Duration::nanoseconds(2));
  EXPECT_EQ(reason_of_changed([](Header& header) { header.stratum = 16; }),
            ReplyReason::kUnsynchronised);
}

TEST_F(ExchangeTest, missing_timestamps_are_named) {
  EXPECT_EQ(reason_of_changed([](Header& header) { header.receive = {}; }),
            ReplyReason::kZeroTimestamp);
  EXPECT_EQ(reason_of_changed([](Header& header) { header.transmit = {}; }),
            ReplyReason::kZeroTimestamp);
}

TEST_F(ExchangeTest, a_server_that_worked_longer_than_the_exchange_took_is_bogus) {
  const Reply reply = receive(reply_to(start(), [](Header& header) {
    header.receive = NtpTimestamp::from_bits(header.receive.bits() - (std::uint64_t{1} << 32));
  }));
  EXPECT_EQ(reply.reason, ReplyReason::kBogusTimes);
  EXPECT_FALSE(reply.has_times);
  EXPECT_EQ(reason_of_changed([](Header& header) {
              header.receive =
                  NtpTimestamp::from_bits(header.receive.bits() + (std::uint64_t{1} << 32));
            }),
            ReplyReason::kBogusTimes);
}

TEST_F(ExchangeTest, a_reference_time_after_the_transmit_time_is_refused) {
  EXPECT_EQ(reason_of_changed([](Header& header) {
              header.reference =
                  NtpTimestamp::from_bits(header.transmit.bits() + (std::uint64_t{1} << 32));
            }),
            ReplyReason::kFutureReference);
}

TEST_F(ExchangeTest, too_distant_and_too_slow_servers_are_refused) {
  EXPECT_EQ(reason_of_changed([](Header& header) {
              header.root_dispersion = to_ntp_short(Duration::seconds(4));
            }),
            ReplyReason::kTooDistant);
  EXPECT_EQ(receive(reply_to(start()), Duration::seconds(5)).reason, ReplyReason::kTooDelayed);
}

TEST_F(ExchangeTest, a_step_of_the_system_clock_spoils_the_open_exchange_only) {
  const Octets reply = reply_to(start());
  exchange_.handle_clock_step();
  EXPECT_EQ(receive(reply, Duration::milliseconds(21)).reason, ReplyReason::kLocalClockStepped);
  exchange_.handle_clock_step();
  EXPECT_EQ(receive(reply_to(start()), Duration::milliseconds(21)).reason, ReplyReason::kAccepted);
}

TEST_F(ExchangeTest, raw_time_may_advance_at_another_pace_than_mono) {
  const Octets reply = reply_to(start());
  LocalTime now = local_at(Duration::milliseconds(21));
  now.mono = now.mono + Duration::seconds(1);
  EXPECT_EQ(exchange_.handle_datagram({now, now.raw}, reply, authenticator_).reason,
            ReplyReason::kAccepted);
}

// An authenticator that refuses what the test says.
class FakeAuthenticator final : public Authenticator {
 public:
  bool protect(ByteWriter& request, RandomStream&) override {
    request.zeros(20);
    return has_key;
  }
  AuthVerdict check(const wire::ntp::Packet&, Bytes) override { return verdict; }
  bool authenticates() const override { return true; }
  bool has_key = true;
  AuthVerdict verdict = AuthVerdict::kAuthentic;
};

TEST_F(ExchangeTest, a_reply_that_fails_its_authentication_does_not_end_the_exchange) {
  FakeAuthenticator fake;
  std::array<std::byte, 128> buffer{};
  ByteWriter writer(buffer);
  ASSERT_TRUE(exchange_.start(local_at({}), random_, fake, writer));
  EXPECT_EQ(writer.size(), 68u);
  const Octets reply = reply_to({writer.written().begin(), writer.written().end()});
  const LocalTime now = local_at(Duration::milliseconds(21));
  fake.verdict = AuthVerdict::kNotAuthentic;
  EXPECT_EQ(exchange_.handle_datagram({now, now.raw}, reply, fake).reason,
            ReplyReason::kNotAuthentic);
  fake.verdict = AuthVerdict::kNak;
  EXPECT_EQ(exchange_.handle_datagram({now, now.raw}, reply, fake).reason, ReplyReason::kCryptoNak);
  fake.verdict = AuthVerdict::kAuthentic;
  EXPECT_EQ(exchange_.handle_datagram({now, now.raw}, reply, fake).reason, ReplyReason::kAccepted);
}

TEST_F(ExchangeTest, nothing_is_sent_that_cannot_be_authenticated) {
  FakeAuthenticator fake;
  fake.has_key = false;
  std::array<std::byte, 128> buffer{};
  ByteWriter writer(buffer);
  EXPECT_FALSE(exchange_.start(local_at({}), random_, fake, writer));
  EXPECT_FALSE(exchange_.waiting());
}

TEST_F(ExchangeTest, an_unasked_crypto_nak_is_ignored) {
  Octets reply = reply_to(start());
  reply.resize(52);
  EXPECT_EQ(receive(reply).reason, ReplyReason::kCryptoNak);
  EXPECT_TRUE(exchange_.waiting());
}

TEST(ReplyReason, names_are_unique_and_in_order) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kReplyReasonCount; ++i) {
    names.insert(name_of(static_cast<ReplyReason>(i)));
  }
  EXPECT_EQ(names.size(), kReplyReasonCount);
  EXPECT_EQ(name_of(ReplyReason::kWrongOrigin), "wrong_origin");
  EXPECT_EQ(name_of(ReplyReason::kKissRate), "kiss_rate");
  EXPECT_EQ(name_of(ReplyReason::kLocalClockStepped), "local_clock_stepped");
}

TEST(Exp2Seconds, covers_every_exponent) {
  EXPECT_EQ(exp2_seconds(0), Duration::seconds(1));
  EXPECT_EQ(exp2_seconds(6), Duration::seconds(64));
  EXPECT_EQ(exp2_seconds(-3), Duration::milliseconds(125));
  EXPECT_EQ(exp2_seconds(127), Duration::max());
  EXPECT_EQ(exp2_seconds(-128), Duration::nanoseconds(1));
}

TEST(DriftOver, is_parts_in_a_billion_of_the_span) {
  EXPECT_EQ(drift_over(Duration::seconds(1000), 50'000), Duration::milliseconds(50));
  EXPECT_EQ(drift_over(Duration::milliseconds(20), 50'000), Duration::microseconds(1));
  EXPECT_EQ(drift_over(Duration::seconds(-5), 50'000), Duration());
  EXPECT_GT(drift_over(Duration::max(), 50'000), Duration::seconds(400'000));
}

}  // namespace
}  // namespace timepool::ntp
