// Interleaved mode (RFC 9769): the true time of sending of the reply before.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>

#include "ntp/exchange.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Mode;

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);

LocalTime local_at(Duration since) {
  return {MonoTime::from_ns(5'000'000'000) + since, kStart + since};
}
constexpr Duration ms(std::int64_t count) {
  return Duration::milliseconds(count);
}

// A server 250 ms ahead, 10 ms of way each way, that says in basic mode that it sent 3 ms before it
// did: that error is gone in interleaved mode.
class InterleavedTest : public testing::Test {
 protected:
  InterleavedTest() {
    ExchangeConfig config;
    config.interleaved = true;
    exchange_ = Exchange(config);
  }

  Header start(Duration at) {
    std::array<std::byte, 128> buffer{};
    ByteWriter writer(buffer);
    EXPECT_TRUE(exchange_.start(local_at(at), random_, authenticator_, writer));
    ByteReader reader(writer.written());
    return wire::ntp::read_header(reader);
  }
  // The reply to a request that was made at `at`, as a server with interleaved mode gives it.
  Header reply_to(const Header& request, Duration at) {
    Header out;
    out.version = request.version;
    out.mode = Mode::kServer;
    out.stratum = 1;
    out.precision = -23;
    const NtpTimestamp receive = to_ntp(kStart + at + ms(260));
    const bool interleaved = serves_interleaved_ && last_sent_ && request.origin == last_receive_ &&
                             request.receive != request.transmit;
    out.origin = interleaved ? request.receive : request.transmit;
    out.receive = receive;
    out.transmit = interleaved ? *last_sent_ : to_ntp(kStart + at + ms(261));
    last_receive_ = receive;
    last_sent_ = to_ntp(kStart + at + ms(264));
    return out;
  }
  Reply receive(const Header& header, Duration at) {
    std::array<std::byte, wire::ntp::kHeaderSize> bytes{};
    ByteWriter writer(bytes);
    wire::ntp::write_header(header, writer);
    const LocalTime now = local_at(at + ms(24));
    return exchange_.handle_datagram({now, now.raw}, bytes, authenticator_);
  }
  Reply ask(Duration at) { return receive(reply_to(start(at), at), at); }

  bool serves_interleaved_ = true;
  NtpTimestamp last_receive_;
  std::optional<NtpTimestamp> last_sent_;
  RandomStream random_{SiphashKey{1, 2}};
  NoAuthentication authenticator_;
  Exchange exchange_{ExchangeConfig{}};
};

TEST_F(InterleavedTest, the_first_request_is_basic_and_the_next_names_the_servers_time) {
  const Header first = start({});
  EXPECT_TRUE(first.origin.is_zero());
  EXPECT_TRUE(first.receive.is_zero());
  const Header reply = reply_to(first, {});
  EXPECT_EQ(receive(reply, {}).reason, ReplyReason::kAccepted);
  const Header second = start(ms(1000));
  EXPECT_EQ(second.origin, reply.receive);
  EXPECT_FALSE(second.receive.is_zero());
  EXPECT_NE(second.receive, second.transmit);
  EXPECT_TRUE(second.reference.is_zero());
  EXPECT_EQ(second.stratum, 0);
  EXPECT_EQ(second.poll, 0);
  EXPECT_EQ(second.precision, 0);
}

TEST_F(InterleavedTest, B23_the_receive_timestamp_of_a_request_is_random_too) {
  ask({});
  const Header second = start(ms(1000));
  const Header third = start(ms(2000));
  EXPECT_NE(second.receive, third.receive);
  EXPECT_NE(second.transmit, third.transmit);
}

TEST_F(InterleavedTest, a_sample_measures_the_exchange_before_with_the_true_time_of_sending) {
  const Reply basic = ask({});
  EXPECT_FALSE(basic.sample.interleaved);
  // The 3 ms show as half of them in the offset.
  EXPECT_LE((basic.sample.offset - ms(250) + Duration::microseconds(1500)).abs(),
            Duration::nanoseconds(2));
  const Reply again = ask(ms(1000));
  ASSERT_EQ(again.reason, ReplyReason::kAccepted);
  EXPECT_TRUE(again.sample.interleaved);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.sample.at.mono, basic.sample.at.mono);
  EXPECT_LE((again.sample.offset - ms(250)).abs(), Duration::nanoseconds(2));
  EXPECT_LE((again.sample.delay - ms(20)).abs(), Duration::nanoseconds(3));
  EXPECT_LE((again.sample.response - ms(4)).abs(), Duration::nanoseconds(2));
  const Reply third = ask(ms(2000));
  EXPECT_TRUE(third.sample.interleaved);
  EXPECT_FALSE(third.repeated);
  EXPECT_EQ(third.sample.at.mono, local_at(ms(1024)).mono);
}

TEST_F(InterleavedTest, a_time_of_sending_that_comes_after_the_answer_still_counts) {
  ask({});
  ask(ms(1000));
  exchange_.handle_transmit_timestamp(
      {kStart + ms(1002), StampSource::kHardware, Duration::nanoseconds(10)});
  const Reply third = ask(ms(2000));
  EXPECT_LE((third.sample.delay - ms(18)).abs(), Duration::nanoseconds(3));
  EXPECT_EQ(third.sample.sent_by, StampSource::kHardware);
}

TEST_F(InterleavedTest, a_time_of_sending_after_a_kiss_belongs_to_no_exchange) {
  ask({});
  const Header request = start(ms(1000));
  Header kiss = reply_to(request, ms(1000));
  kiss.stratum = 0;
  kiss.reference_id = wire::ntp::kKissRate;
  EXPECT_EQ(receive(kiss, ms(1000)).reason, ReplyReason::kKissRate);
  exchange_.handle_transmit_timestamp({kStart + ms(1002), StampSource::kKernel});
  last_sent_ = to_ntp(kStart + ms(264));
  last_receive_ = to_ntp(kStart + ms(260));
  const Reply next = ask(ms(2000));
  EXPECT_LE((next.sample.delay - ms(20)).abs(), Duration::nanoseconds(3));
}

TEST_F(InterleavedTest, a_server_without_it_is_asked_on_in_basic_mode) {
  serves_interleaved_ = false;
  for (int i = 0; i < 5; ++i) {
    const Reply reply = ask(ms(1000) * i);
    EXPECT_EQ(reply.reason, ReplyReason::kAccepted);
    EXPECT_FALSE(reply.sample.interleaved);
    EXPECT_FALSE(reply.repeated);
  }
}

TEST_F(InterleavedTest, a_lost_reply_costs_one_sample) {
  ask({});
  ask(ms(1000));
  static_cast<void>(start(ms(2000)));  // lost on the way to the server
  const Reply next = ask(ms(3000));
  EXPECT_EQ(next.reason, ReplyReason::kAccepted);
  EXPECT_TRUE(next.sample.interleaved);
  EXPECT_EQ(next.sample.at.mono, local_at(ms(1024)).mono);
}

TEST_F(InterleavedTest, RFC9769_requests_in_vain_lead_back_to_basic_mode) {
  ask({});
  for (int i = 1; i <= kMaxInterleavedInVain; ++i) {
    EXPECT_FALSE(start(ms(1000) * i).origin.is_zero());
  }
  EXPECT_TRUE(start(ms(9000)).origin.is_zero());
}

TEST_F(InterleavedTest, a_step_of_the_local_clock_ends_it) {
  ask({});
  exchange_.forget_previous();
  EXPECT_TRUE(start(ms(1000)).origin.is_zero());
}

TEST_F(InterleavedTest, either_cookie_answers_a_request_once) {
  ask({});
  const Header request = start(ms(1000));
  const Header reply = reply_to(request, ms(1000));
  EXPECT_EQ(receive(reply, ms(1000)).reason, ReplyReason::kAccepted);
  EXPECT_EQ(receive(reply, ms(1000)).reason, ReplyReason::kDuplicate);
  Header other = reply;
  other.origin = request.transmit;
  EXPECT_EQ(receive(other, ms(1000)).reason, ReplyReason::kDuplicate);
  start(ms(2000));
  EXPECT_EQ(receive(reply, ms(2000)).reason, ReplyReason::kReplayed);
  EXPECT_EQ(receive(other, ms(2000)).reason, ReplyReason::kReplayed);
}

// CVE-2016-1548: nobody but the server that saw the request leads a client into interleaved mode.
TEST_F(InterleavedTest, CVE_2016_1548_no_pivot_by_a_forged_packet) {
  Exchange basic{ExchangeConfig{}};
  std::swap(basic, exchange_);  // interleaved mode is off
  ask({});
  const Header request = start(ms(1000));
  EXPECT_TRUE(request.origin.is_zero());
  Header forged = reply_to(request, ms(1000));
  for (const NtpTimestamp origin : {last_receive_, *last_sent_, request.receive}) {
    forged.origin = origin;
    const ReplyReason reason = receive(forged, ms(1000)).reason;
    EXPECT_FALSE(is_answer(reason)) << name_of(reason);
  }
  EXPECT_TRUE(exchange_.waiting());
}

TEST_F(InterleavedTest, the_servers_earlier_time_must_fit_the_earlier_exchange) {
  ask({});
  Header reply = reply_to(start(ms(1000)), ms(1000));
  reply.transmit = reply.receive;  // a second after it can have been
  EXPECT_EQ(receive(reply, ms(1000)).reason, ReplyReason::kBogusTimes);
  reply = reply_to(start(ms(2000)), ms(2000));
  reply.transmit = to_ntp(kStart);  // before it can have been
  EXPECT_EQ(receive(reply, ms(2000)).reason, ReplyReason::kBogusTimes);
}

TEST_F(InterleavedTest, a_reference_time_between_the_two_replies_is_right) {
  ask({});
  Header reply = reply_to(start(ms(1000)), ms(1000));
  reply.reference = to_ntp(kStart + ms(900));
  EXPECT_EQ(receive(reply, ms(1000)).reason, ReplyReason::kAccepted);
}

}  // namespace
}  // namespace timepool::ntp
