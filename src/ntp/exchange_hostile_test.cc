// Replies made to hurt: every field random or extreme, local clocks of any era. What is accepted
// keeps all rules, and nothing overflows.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "ntp/exchange.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Leap;
using wire::ntp::Mode;

// Anything; often one of the values that break arithmetic, or near a time that would be right.
rc::Gen<NtpTimestamp> any_timestamp(NtpTimestamp right) {
  const auto bits = [](std::uint64_t value) { return NtpTimestamp::from_bits(value); };
  return rc::gen::map(
      rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::arbitrary<std::uint64_t>()),
      [=](const std::pair<int, std::uint64_t>& drawn) {
        const auto [kind, random] = drawn;
        if (kind == 0) return bits(0);
        if (kind == 1) return bits(~std::uint64_t{0});
        if (kind == 2) return bits(std::uint64_t{1} << 63);
        if (kind == 3) return bits(random);
        if (kind == 4) return bits(right.bits() + (std::uint64_t{1} << 63));
        return bits(right.bits() + (random >> 30) - (std::uint64_t{1} << 33));  // two seconds about
      });
}

rc::Gen<UnixTime> any_local_time() {
  // 1968 to 2104, both ends of it, and the seconds around the end of the era in 2036.
  constexpr std::int64_t kEra = 2'085'978'496;
  return rc::gen::map(
      rc::gen::pair(rc::gen::inRange(0, 3), rc::gen::inRange<std::int64_t>(0, 4'291'747'200)),
      [](const std::pair<int, std::int64_t>& drawn) {
        const auto [kind, random] = drawn;
        const std::int64_t seconds = kind == 0   ? kEra - 2 + random % 4
                                     : kind == 1 ? random % 2 == 0 ? -63'158'400 : 4'228'588'799
                                                 : random - 63'158'400;
        return UnixTime::from_seconds(seconds) + Duration::nanoseconds(random % 1'000'000'000);
      });
}

struct Attack {
  Header request;
  Header reply;
  UnixTime t1;
  UnixTime t4;
  ExchangeConfig config;
  Reply result;
};

Header header_of(Bytes bytes) {
  ByteReader reader(bytes);
  return wire::ntp::read_header(reader);
}

Attack attack() {
  Attack out;
  out.config.interleaved = *rc::gen::arbitrary<bool>();
  Exchange exchange(out.config);
  RandomStream random(SiphashKey{*rc::gen::arbitrary<std::uint64_t>(), 7});
  NoAuthentication authenticator;
  std::array<std::byte, 48> buffer{};
  ByteWriter writer(buffer);
  out.t1 = *any_local_time();
  const LocalTime before{MonoTime::from_ns(1'000'000'000), out.t1};
  RC_ASSERT(exchange.start(before, random, authenticator, writer));
  out.request = header_of(buffer);
  Header& reply = out.reply;
  const NtpTimestamp right = to_ntp(out.t1 + Duration::milliseconds(5));
  // Half of them are extreme in every field, half only in the timestamps.
  const bool sane = *rc::gen::arbitrary<bool>();
  const std::uint32_t most = sane ? 0 : 255;
  reply.leap = static_cast<Leap>(*rc::gen::inRange(0, sane ? 3 : 4));
  reply.version = static_cast<std::uint8_t>(sane ? 4 : *rc::gen::inRange(0, 8));
  reply.mode = *rc::gen::weightedElement<Mode>({{9, Mode::kServer}, {1, Mode::kBroadcast}});
  reply.stratum = static_cast<std::uint8_t>(*rc::gen::inRange(sane ? 1 : 0, sane ? 16 : 256));
  reply.poll = *rc::gen::arbitrary<std::int8_t>();
  reply.precision = static_cast<std::int8_t>(*rc::gen::inRange(-128, sane ? 0 : 128));
  reply.root_delay = NtpShort::from_bits(*rc::gen::arbitrary<std::uint32_t>() / 255U * most);
  reply.root_dispersion = NtpShort::from_bits(*rc::gen::arbitrary<std::uint32_t>() / 255U * most);
  reply.reference_id = wire::ntp::ReferenceId::from_bits(*rc::gen::arbitrary<std::uint32_t>());
  if (!sane) reply.reference = *any_timestamp(right);
  reply.origin = *rc::gen::weightedOneOf<NtpTimestamp>(
      {{5, rc::gen::just(out.request.transmit)}, {1, any_timestamp(out.request.transmit)}});
  reply.receive = *any_timestamp(right);
  reply.transmit = *any_timestamp(right);
  std::array<std::byte, 48> bytes{};
  ByteWriter reply_writer(bytes);
  wire::ntp::write_header(reply, reply_writer);
  const Duration took = Duration::nanoseconds(*rc::gen::inRange<std::int64_t>(-10, 4'000'000'000));
  out.t4 = out.t1 + took;
  const LocalTime after{before.mono + took, out.t4};
  out.result = exchange.handle_datagram({after, out.t4}, bytes, authenticator);
  return out;
}

void check_accepted(const Attack& it) {
  RC_ASSERT(it.reply.mode == Mode::kServer);
  RC_ASSERT(it.reply.version >= 1 && it.reply.version <= 4);
  RC_ASSERT(it.reply.origin == it.request.transmit);
  RC_ASSERT(!it.reply.origin.is_zero());
  RC_ASSERT(it.reply.leap != Leap::kUnsynchronised);
  RC_ASSERT(it.reply.stratum >= 1 && it.reply.stratum <= 15);
  RC_ASSERT(!it.reply.receive.is_zero() && !it.reply.transmit.is_zero());
  const Sample& sample = it.result.sample;
  RC_ASSERT(it.result.has_times);
  RC_ASSERT(sample.delay > Duration() && sample.delay <= it.config.max_delay);
  RC_ASSERT(sample.root_distance() <= it.config.max_distance);
  RC_ASSERT(sample.dispersion > Duration());
}

// The offset is what the four timestamps say, to two nanoseconds, by wider arithmetic.
void check_times(const Attack& it) {
  const Sample& sample = it.result.sample;
  RC_ASSERT(sample.offset.abs() <= Duration::seconds(std::int64_t{1} << 31));
  RC_ASSERT(sample.delay >= Duration::nanoseconds(1));
  const auto wide = [](NtpTimestamp a, UnixTime b) {
    const auto difference = static_cast<std::int64_t>(a.bits() - to_ntp(b).bits());
    return static_cast<long double>(difference) * 1e9L / 4294967296.0L;
  };
  const long double offset = (wide(it.reply.receive, it.t1) + wide(it.reply.transmit, it.t4)) / 2;
  RC_ASSERT(std::fabs(static_cast<double>(offset - static_cast<long double>(sample.offset.ns()))) <=
            2.0);
}

RC_GTEST_PROP(HostileReply, what_is_accepted_keeps_every_rule, ()) {
  const Attack it = attack();
  if (it.result.reason == ReplyReason::kAccepted) check_accepted(it);
  if (it.result.has_times) check_times(it);
  if (is_answer(it.result.reason)) RC_ASSERT(it.reply.origin == it.request.transmit);
  RC_CLASSIFY(it.result.reason == ReplyReason::kAccepted, "accepted");
  RC_CLASSIFY(it.result.has_times, "measured");
}

// Rules by one class of known attacks each: none ends an exchange, so the true reply still counts.
class KnownAttack : public testing::Test {
 protected:
  ReplyReason receive(Header header, bool first_ask = true) {
    if (first_ask) ask();
    header.mode = header.mode == Mode::kReserved ? Mode::kServer : header.mode;
    std::array<std::byte, 48> bytes{};
    ByteWriter writer(bytes);
    wire::ntp::write_header(header, writer);
    const LocalTime now{MonoTime::from_ns(1'020'000'000), kNow + Duration::milliseconds(20)};
    return exchange_.handle_datagram({now, now.raw}, bytes, authenticator_).reason;
  }
  void ask() {
    std::array<std::byte, 48> buffer{};
    ByteWriter writer(buffer);
    ASSERT_TRUE(
        exchange_.start({MonoTime::from_ns(1'000'000'000), kNow}, random_, authenticator_, writer));
    request_ = header_of(buffer);
  }
  // An honest reply, which the test then spoils.
  Header reply() {
    ask();
    Header out;
    out.mode = Mode::kServer;
    out.stratum = 1;
    out.precision = -20;
    out.origin = request_.transmit;
    out.receive = to_ntp(kNow + Duration::milliseconds(10));
    out.transmit = to_ntp(kNow + Duration::milliseconds(11));
    return out;
  }
  static inline const UnixTime kNow = UnixTime::from_seconds(1'790'000'000);
  Header request_;
  RandomStream random_{SiphashKey{8, 8}};
  NoAuthentication authenticator_;
  Exchange exchange_{ExchangeConfig{}};
};

TEST_F(KnownAttack, CVE_2015_8138_an_origin_of_zero_never_matches) {
  Header forged = reply();
  forged.origin = {};
  EXPECT_EQ(receive(forged, false), ReplyReason::kZeroOrigin);
  EXPECT_TRUE(exchange_.waiting());
  // Nor after the answer, when implementations cleared what they compare with.
  Header honest = reply();
  EXPECT_EQ(receive(honest, false), ReplyReason::kAccepted);
  EXPECT_EQ(receive(forged, false), ReplyReason::kZeroOrigin);
}

TEST_F(KnownAttack, CVE_2015_7704_7705_a_kiss_without_the_origin_changes_nothing) {
  for (const std::string_view code : {"RATE", "DENY", "RSTR"}) {
    Header forged = reply();
    forged.stratum = 0;
    forged.reference_id = wire::ntp::ReferenceId::from_text(code);
    forged.origin = NtpTimestamp::from_bits(forged.origin.bits() + 1);
    EXPECT_EQ(receive(forged, false), ReplyReason::kWrongOrigin);
    EXPECT_TRUE(exchange_.waiting());
  }
}

TEST_F(KnownAttack, CVE_2016_1547_an_unasked_crypto_nak_ends_nothing) {
  const Header honest = reply();
  std::array<std::byte, 52> bytes{};
  ByteWriter writer(bytes);
  wire::ntp::write_header(honest, writer);
  const LocalTime now{MonoTime::from_ns(1'020'000'000), kNow + Duration::milliseconds(20)};
  EXPECT_EQ(exchange_.handle_datagram({now, now.raw}, bytes, authenticator_).reason,
            ReplyReason::kCryptoNak);
  EXPECT_TRUE(exchange_.waiting());
  EXPECT_EQ(receive(honest, false), ReplyReason::kAccepted);
}

// CVE-2015-7979, CVE-2016-4953 to 4956, CVE-2018-7184, CVE-2018-7185, CVE-2020-11868: errors and
// forged packets reset, pivot or demobilise the association.
TEST_F(KnownAttack, CVE_2016_4953_to_4956_no_forged_packet_ends_the_exchange) {
  const Header honest = reply();
  Header forged = honest;
  for (int kind = 0; kind < 6; ++kind) {
    forged = honest;
    if (kind == 0) forged.mode = Mode::kBroadcast;
    if (kind == 1) forged.mode = Mode::kSymmetricActive;
    if (kind == 2) forged.mode = Mode::kSymmetricPassive;
    if (kind == 3) forged.origin = forged.receive;
    if (kind == 4) forged.version = 7;
    if (kind == 5) forged.origin = {};
    EXPECT_FALSE(is_answer(receive(forged, false))) << kind;
    EXPECT_TRUE(exchange_.waiting()) << kind;
  }
  EXPECT_EQ(receive(honest, false), ReplyReason::kAccepted);
}

TEST_F(KnownAttack, CVE_2020_13817_the_request_cannot_be_guessed) {
  ask();
  const std::uint64_t first = request_.transmit.bits();
  ask();
  const std::uint64_t second = request_.transmit.bits();
  // Neither is a time near the local clock's nor near each other.
  EXPECT_NE(first >> 32, second >> 32);
  EXPECT_GT((request_.transmit - to_ntp(kNow)).abs(), Duration::seconds(1));
}

TEST_F(KnownAttack, CVE_2016_7426_a_flood_of_forgeries_does_not_hinder_the_answer) {
  const Header honest = reply();
  Header forged = honest;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    forged.origin = NtpTimestamp::from_bits(honest.origin.bits() + i);
    EXPECT_EQ(receive(forged, false), ReplyReason::kWrongOrigin);
  }
  EXPECT_EQ(receive(honest, false), ReplyReason::kAccepted);
}

TEST_F(KnownAttack, a_reply_of_a_wrong_length_or_version_is_no_packet) {
  const Header honest = reply();
  std::array<std::byte, 1232> bytes{};
  ByteWriter writer(bytes);
  wire::ntp::write_header(honest, writer);
  const auto receive_first = [&](std::size_t length) {
    const LocalTime now{MonoTime::from_ns(1'020'000'000), kNow + Duration::milliseconds(20)};
    return exchange_.handle_datagram({now, now.raw}, Bytes(bytes).first(length), authenticator_)
        .reason;
  };
  EXPECT_EQ(receive_first(0), ReplyReason::kTooShort);
  EXPECT_EQ(receive_first(47), ReplyReason::kTooShort);
  EXPECT_EQ(receive_first(49), ReplyReason::kBadLength);
  EXPECT_EQ(receive_first(1232), ReplyReason::kBadField);
  // A server that copies the version of a newer client.
  bytes[0] = std::byte{5 << 3 | 4};
  EXPECT_EQ(receive_first(48), ReplyReason::kBadVersion);
  EXPECT_TRUE(exchange_.waiting());
}

}  // namespace
}  // namespace timepool::ntp
