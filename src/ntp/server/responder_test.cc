#include "ntp/server/responder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/hex.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Leap;
using wire::ntp::Mode;
using Octets = std::vector<std::byte>;

UnixTime utc(std::string_view text) {
  return parse_utc(text).value();
}

ServerState good_state() {
  ServerState out;
  out.leap = Leap::kNone;
  out.stratum = 1;
  out.precision = -23;
  out.reference_id = wire::ntp::ReferenceId::from_text("GPS");
  out.root_delay = Duration::milliseconds(2);
  out.root_dispersion = Duration::milliseconds(1);
  out.reference_time = utc("2026-11-21T11:59:40Z");
  return out;
}

RxInfo rx_from(std::uint16_t port) {
  return {utc("2026-11-21T12:00:00Z"),
          {IpAddress::v4(0xc0000201), port, 0},
          {IpAddress::v4(0xc0000202), 123, 0}};
}

Octets request(std::uint8_t version, Mode mode, std::size_t size = wire::ntp::kHeaderSize) {
  Octets out(size, std::byte{0});
  Header header;
  header.version = version;
  header.mode = mode;
  header.poll = 6;
  header.transmit = NtpTimestamp::from_bits(0x1122334455667788);
  std::array<std::byte, wire::ntp::kHeaderSize> buffer{};
  ByteWriter writer(buffer);
  wire::ntp::write_header(header, writer);
  std::copy_n(buffer.begin(), std::min(size, buffer.size()), out.begin());
  return out;
}

struct Answer {
  Response response;
  Header header;
};

Answer answer(const Octets& bytes, const ServerState& state = good_state(),
              std::uint16_t port = 40000) {
  std::array<std::byte, wire::ntp::kHeaderSize> out{};
  Answer result;
  result.response = respond(rx_from(port), bytes, state, out);
  if (result.response.verdict == Verdict::kReply) {
    set_transmit(out, state, rx_from(port).received + Duration::microseconds(5));
  }
  ByteReader reader(out);
  result.header = wire::ntp::read_header(reader);
  return result;
}

Reason reason_of(const Octets& bytes, std::uint16_t port = 40000) {
  return answer(bytes, good_state(), port).response.reason;
}

TEST(Responder, a_client_gets_the_fields_of_rfc5905) {
  const Answer got = answer(request(4, Mode::kClient));
  ASSERT_EQ(got.response.verdict, Verdict::kReply);
  EXPECT_EQ(got.response.reason, Reason::kAnsweredPlain);
  EXPECT_EQ(got.response.length, 48u);
  EXPECT_EQ(got.header.leap, Leap::kNone);
  EXPECT_EQ(got.header.version, 4);
  EXPECT_EQ(got.header.mode, Mode::kServer);
  EXPECT_EQ(got.header.stratum, 1);
  EXPECT_EQ(got.header.poll, 6);
  EXPECT_EQ(got.header.precision, -23);
  EXPECT_EQ(got.header.origin.bits(), 0x1122334455667788u);
  EXPECT_EQ(got.header.receive, to_ntp(utc("2026-11-21T12:00:00Z")));
  EXPECT_EQ(got.header.transmit, to_ntp(utc("2026-11-21T12:00:00.000005Z")));
  EXPECT_EQ(got.header.reference, to_ntp(utc("2026-11-21T11:59:40Z")));
  EXPECT_EQ(wire::ntp::text_of(got.header.reference_id), "GPS");
}

// A worker that remembers clients, with a limit of one request a second and address.
struct Limited {
  explicit Limited(std::uint32_t kiss = 0) {
    service.state = good_state();
    service.limits.enabled = true;
    service.limits.address = BucketRate::of(1, 1);
    service.limits.kiss = kiss;
  }
  Response ask(const Octets& bytes, std::uint16_t port = 40000) {
    RxInfo rx = rx_from(port);
    rx.now = MonoTime::from_ns(5'000'000'000);
    return responder.respond(rx, bytes, service, out);
  }

  Service service;
  Responder responder{Responder::Options{.interleaved_replies = 8, .clients = 64, .seed = {}}};
  std::array<std::byte, wire::ntp::kHeaderSize> out{};
};

TEST(Responder, B31_a_client_over_its_limit_is_not_answered) {
  Limited server;
  EXPECT_EQ(server.ask(request(4, Mode::kClient)).reason, Reason::kAnsweredPlain);
  const Response second = server.ask(request(4, Mode::kClient));
  EXPECT_EQ(second.reason, Reason::kRateLimited);
  EXPECT_EQ(second.verdict, Verdict::kDrop);
  EXPECT_EQ(second.length, 0U);
}

TEST(Responder, a_RATE_packet_has_no_time_but_the_origin_of_its_request) {
  Limited server(1);
  server.ask(request(3, Mode::kClient));
  const Response response = server.ask(request(3, Mode::kClient, 68));
  ASSERT_EQ(response.reason, Reason::kRateKod);
  ASSERT_EQ(response.verdict, Verdict::kReply);
  EXPECT_EQ(response.length, 48U) << "not longer than the request";
  server.responder.finish(response, server.service, utc("2026-11-21T12:00:01Z"), server.out);
  ByteReader reader(server.out);
  const Header header = wire::ntp::read_header(reader);
  EXPECT_EQ(header.leap, Leap::kUnsynchronised);
  EXPECT_EQ(header.version, 3);
  EXPECT_EQ(header.mode, Mode::kServer);
  EXPECT_EQ(header.stratum, 0);
  EXPECT_EQ(header.poll, 6);
  EXPECT_EQ(wire::ntp::text_of(header.reference_id), "RATE");
  EXPECT_EQ(header.origin.bits(), 0x1122334455667788U);
  EXPECT_TRUE(header.reference.is_zero());
  EXPECT_EQ(header.root_delay, NtpShort());
}

TEST(Responder, limits_are_for_requests_alone) {
  // Answers to our own requests, and what is dropped anyway, take no tokens (CVE-2016-7426).
  Limited server;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(server.ask(request(4, Mode::kServer), 123).reason, Reason::kModeServer);
    EXPECT_EQ(server.ask(request(4, Mode::kSymmetricPassive), 123).reason,
              Reason::kModeSymmetricPassive);
    EXPECT_EQ(server.ask(request(4, Mode::kBroadcast), 123).reason, Reason::kModeBroadcast);
    EXPECT_EQ(server.ask(request(4, Mode::kClient, 47)).reason, Reason::kTooShort);
  }
  EXPECT_EQ(server.responder.limiter()->table().used(), 0U);
  EXPECT_EQ(server.ask(request(4, Mode::kClient)).reason, Reason::kAnsweredPlain);
}

TEST(Responder, B24_who_is_denied_is_not_answered_and_costs_nobody_a_token) {
  Limited server;
  const std::vector<Prefix> deny{parse_prefix("192.0.2.0/24").value()};
  server.service.access = std::make_shared<AccessList>(
      std::make_shared<AccessRules>(AccessRules::build({}, deny).value()),
      std::vector<AccessList::Interface>());
  EXPECT_EQ(server.ask(request(4, Mode::kClient)).reason, Reason::kDenied);
  EXPECT_EQ(server.ask(request(4, Mode::kServer)).reason, Reason::kDenied);
  EXPECT_EQ(server.ask(request(4, Mode::kControl)).reason, Reason::kModeControl);
  EXPECT_EQ(server.responder.limiter()->table().used(), 0U);
}

TEST(Responder, root_dispersion_grows_with_the_age_of_the_reference) {
  const Answer got = answer(request(4, Mode::kClient));
  // 1 ms and 20 s of 15 parts in a million.
  EXPECT_EQ(got.header.root_dispersion, to_ntp_short(Duration::microseconds(1300)));
}

TEST(Responder, versions_1_to_4_are_echoed) {
  for (std::uint8_t version = 1; version <= 4; ++version) {
    EXPECT_EQ(answer(request(version, Mode::kClient)).header.version, version);
  }
  EXPECT_EQ(reason_of(request(0, Mode::kClient)), Reason::kBadVersion);
  EXPECT_EQ(reason_of(request(5, Mode::kClient)), Reason::kBadVersion);
}

// An NTPv5 client asks by version 4 with this reference timestamp whether the server has version 5,
// and takes the same there in the answer for a yes.
TEST(Responder, a_client_that_offers_version_5_gets_a_plain_answer_of_version_4) {
  const NtpTimestamp offer = NtpTimestamp::from_bits(0x4e5450354e545035);
  Octets bytes = request(4, Mode::kClient);
  ByteWriter writer(MutableBytes(bytes).subspan(16, 8));
  writer.u64(offer.bits());
  for (const ServerState& state : {good_state(), ServerState()}) {
    const Answer got = answer(bytes, state);
    ASSERT_EQ(got.response.verdict, Verdict::kReply);
    EXPECT_EQ(got.header.version, 4);
    EXPECT_NE(got.header.reference, offer);
  }
}

TEST(Responder, version_1_mode_0_is_answered_in_mode_4_unless_from_port_123) {
  const Answer got = answer(request(1, Mode::kReserved));
  EXPECT_EQ(got.response.reason, Reason::kAnsweredPlain);
  EXPECT_EQ(got.header.mode, Mode::kServer);
  EXPECT_EQ(reason_of(request(1, Mode::kReserved), 123), Reason::kModeReserved);
  EXPECT_EQ(reason_of(request(2, Mode::kReserved)), Reason::kModeReserved);
}

TEST(Responder, B34_symmetric_active_from_a_stranger_is_dropped) {
  EXPECT_EQ(reason_of(request(4, Mode::kSymmetricActive)), Reason::kModeSymmetricActive);
}

TEST(Responder, servers_and_broadcasts_are_never_answered) {
  EXPECT_EQ(reason_of(request(4, Mode::kSymmetricPassive)), Reason::kModeSymmetricPassive);
  EXPECT_EQ(reason_of(request(4, Mode::kServer)), Reason::kModeServer);
  EXPECT_EQ(reason_of(request(4, Mode::kBroadcast)), Reason::kModeBroadcast);
}

TEST(Responder, B6_control_and_private_modes_are_dropped_at_any_size) {
  for (const std::size_t size : {1u, 4u, 12u, 48u, 192u}) {
    EXPECT_EQ(reason_of(request(2, Mode::kControl, size)), Reason::kModeControl) << size;
    EXPECT_EQ(reason_of(request(2, Mode::kPrivate, size)), Reason::kModePrivate) << size;
  }
}

TEST(Responder, its_own_reply_is_not_answered) {
  std::array<std::byte, wire::ntp::kHeaderSize> out{};
  const Octets bytes = request(4, Mode::kClient);
  ASSERT_EQ(respond(rx_from(123), bytes, good_state(), out).verdict, Verdict::kReply);
  EXPECT_EQ(reason_of(Octets(out.begin(), out.end()), 123), Reason::kModeServer);
}

TEST(Responder, fields_and_macs_get_a_plain_reply_of_48_octets) {
  Octets fields = request(4, Mode::kClient, 48 + 36);
  const Octets head = from_hex("01040024").value();
  std::copy(head.begin(), head.end(), fields.begin() + 48);
  EXPECT_EQ(answer(fields).response.reason, Reason::kAnsweredFieldsIgnored);
  EXPECT_EQ(answer(fields).response.length, 48u);
  const Octets mac = request(4, Mode::kClient, 48 + 20);
  EXPECT_EQ(answer(mac).response.reason, Reason::kAnsweredMacIgnored);
  EXPECT_EQ(answer(mac).response.length, 48u);
}

TEST(Responder, each_malformed_request_has_its_reason) {
  EXPECT_EQ(reason_of({}), Reason::kTooShort);
  EXPECT_EQ(reason_of(request(4, Mode::kClient, 47)), Reason::kTooShort);
  EXPECT_EQ(reason_of(request(4, Mode::kClient, 50)), Reason::kBadLength);
  EXPECT_EQ(reason_of(request(4, Mode::kClient, 56)), Reason::kBadMac);
  EXPECT_EQ(reason_of(request(4, Mode::kClient, 80)), Reason::kBadField);
  EXPECT_EQ(reason_of(request(4, Mode::kClient), 0), Reason::kSourcePortZero);
}

TEST(Responder, what_no_single_host_or_we_ourselves_sent_is_never_answered) {
  std::array<std::byte, wire::ntp::kHeaderSize> out{};
  const Octets bytes = request(4, Mode::kClient);
  for (const char* it : {"255.255.255.255:123", "224.0.1.1:123", "0.0.0.0:123", "[ff02::101]:123",
                         "[::ffff:192.0.2.1]:40000", "192.0.2.2:123"}) {
    RxInfo rx = rx_from(40000);
    rx.client = parse_endpoint(it).value();
    EXPECT_EQ(respond(rx, bytes, good_state(), out).reason, Reason::kSourceAddress) << it;
  }
  // Another program on this machine may ask us.
  RxInfo rx = rx_from(40000);
  rx.client = parse_endpoint("192.0.2.2:124").value();
  EXPECT_EQ(respond(rx, bytes, good_state(), out).reason, Reason::kAnsweredPlain);
}

TEST(Responder, an_unsynchronised_server_says_so_with_stratum_0) {
  ServerState state = good_state();
  state.leap = Leap::kUnsynchronised;
  const Answer got = answer(request(4, Mode::kClient), state);
  EXPECT_EQ(got.response.reason, Reason::kAnsweredUnsynchronised);
  EXPECT_EQ(got.header.leap, Leap::kUnsynchronised);
  EXPECT_EQ(got.header.stratum, 0);
  EXPECT_EQ(got.header.reference_id.bits(), 0u);
  EXPECT_TRUE(got.header.reference.is_zero());
  EXPECT_EQ(wire::ntp::kiss_code(0, got.header.reference_id), wire::ntp::KissCode::kNone);
}

TEST(Responder, a_stratum_of_16_is_unsynchronised) {
  ServerState state = good_state();
  state.stratum = 16;
  EXPECT_EQ(answer(request(4, Mode::kClient), state).header.leap, Leap::kUnsynchronised);
}

TEST(Responder, the_test_offset_shifts_every_time_served) {
  ServerState state = good_state();
  state.test_offset = Duration::milliseconds(400);
  const Answer got = answer(request(4, Mode::kClient), state);
  EXPECT_EQ(got.header.receive, to_ntp(utc("2026-11-21T12:00:00.4Z")));
  EXPECT_EQ(got.header.transmit, to_ntp(utc("2026-11-21T12:00:00.400005Z")));
}

TEST(Responder, the_reply_may_be_written_over_the_request) {
  Octets buffer = request(4, Mode::kClient);
  const Response response = respond(rx_from(40000), buffer, good_state(), buffer);
  EXPECT_EQ(response.verdict, Verdict::kReply);
  ByteReader reader(buffer);
  EXPECT_EQ(wire::ntp::read_header(reader).origin.bits(), 0x1122334455667788u);
}

TEST(Reason, names_are_unique) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kReasonCount; ++i) names.insert(name_of(static_cast<Reason>(i)));
  EXPECT_EQ(names.size(), kReasonCount);
}

RC_GTEST_PROP(Responder, any_octets_get_one_reason_and_no_longer_reply,
              (std::vector<std::uint8_t> octets, std::uint16_t port, bool like_a_client)) {
  if (like_a_client) {
    octets.resize(std::max<std::size_t>(octets.size(), 48) / 4 * 4);
    octets[0] = 0x23;
  }
  std::array<std::byte, wire::ntp::kHeaderSize> out{};
  const Response response =
      respond(rx_from(port), std::as_bytes(std::span(octets)), good_state(), out);
  RC_ASSERT(response.length <= octets.size());
  RC_ASSERT((response.verdict == Verdict::kReply) == (response.length > 0));
  const bool answered = name_of(response.reason).starts_with("answered");
  RC_ASSERT((response.verdict == Verdict::kReply) == answered);
}

Octets interleaved_request(NtpTimestamp origin) {
  Octets out = request(4, Mode::kClient);
  ByteReader reader(out);
  Header header = wire::ntp::read_header(reader);
  header.origin = origin;
  header.receive = NtpTimestamp::from_bits(0x3333);
  ByteWriter writer(out);
  wire::ntp::write_header(header, writer);
  return out;
}

Header header_of(const Octets& octets) {
  ByteReader reader(octets);
  return wire::ntp::read_header(reader);
}

TEST(Responder, RFC9769_a_request_that_names_the_last_reply_is_told_when_it_left) {
  Responder responder({16});
  const Service service{good_state()};
  const UnixTime now = rx_from(40000).received;
  // The reply is written over the request, as a worker may do it. It names a reply that we do not
  // remember: who never names any is not worth a place.
  Octets buffer = interleaved_request(NtpTimestamp::from_bits(0x4444));
  const Response first = responder.respond(rx_from(40000), buffer, service, buffer);
  EXPECT_EQ(first.reason, Reason::kAnsweredPlain);
  EXPECT_TRUE(first.remembered);
  EXPECT_EQ(first.receive, header_of(buffer).receive);
  responder.finish(first, service, now + Duration::microseconds(5), buffer);
  responder.sent(first, service, now + Duration::microseconds(9));

  buffer = interleaved_request(first.receive);
  RxInfo later = rx_from(50000);  // another port: behind address translation
  later.received = now + Duration::seconds(64);
  const Response second = responder.respond(later, buffer, service, buffer);
  responder.finish(second, service, later.received + Duration::microseconds(5), buffer);
  EXPECT_EQ(second.reason, Reason::kAnsweredInterleaved);
  EXPECT_EQ(header_of(buffer).origin.bits(), 0x3333u);
  EXPECT_EQ(header_of(buffer).receive, to_ntp(later.received));
  EXPECT_EQ(header_of(buffer).transmit, to_ntp(now + Duration::microseconds(9)));
}

TEST(Responder, clients_of_basic_mode_take_no_place_in_the_memory) {
  Responder responder({16});
  const Service service{good_state()};
  Octets buffer = request(4, Mode::kClient);
  const Response first = responder.respond(rx_from(40000), buffer, service, buffer);
  EXPECT_FALSE(first.remembered);
  responder.sent(first, service, rx_from(40000).received);
  buffer = interleaved_request(first.receive);
  EXPECT_EQ(responder.respond(rx_from(40000), buffer, service, buffer).reason,
            Reason::kAnsweredPlain);
}

TEST(Responder, without_memory_an_interleaved_request_gets_a_basic_reply) {
  Responder responder({});
  const Service service{good_state()};
  Octets buffer = interleaved_request(NtpTimestamp::from_bits(0x4444));
  const Response first = responder.respond(rx_from(40000), buffer, service, buffer);
  EXPECT_FALSE(first.remembered);
  responder.sent(first, service, rx_from(40000).received);
  buffer = interleaved_request(first.receive);
  const Response second = responder.respond(rx_from(40000), buffer, service, buffer);
  EXPECT_EQ(second.reason, Reason::kAnsweredPlain);
  EXPECT_EQ(header_of(buffer).origin.bits(), 0x1122334455667788u);
}

}  // namespace
}  // namespace timepool::ntp
