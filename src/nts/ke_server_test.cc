// The ids KES and T are those of the project's checklist of RFC 8915.
#include "nts/ke_server.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/hex.h"
#include "nts/ke_testing.h"

namespace timepool::nts {
namespace {

using fake::Message;
using fake::Octets;
namespace type = wire::nts::record_type;

KeServerConfig both_algorithms() {
  KeServerConfig out;
  CHECK(out.aeads.push_back(AeadId::kAes128GcmSiv));
  CHECK(out.aeads.push_back(AeadId::kAesSivCmac256));
  return out;
}

// The records of a message by their types, bodies in hexadecimal; the order of the types besides.
struct Seen {
  std::map<std::uint16_t, std::vector<std::string>> bodies;
  std::vector<std::uint16_t> order;

  std::string one(std::uint16_t number) const {
    const auto it = bodies.find(number);
    return it == bodies.end() || it->second.size() != 1 ? "not one" : it->second.front();
  }
  std::size_t count(std::uint16_t number) const {
    const auto it = bodies.find(number);
    return it == bodies.end() ? 0 : it->second.size();
  }
};

Seen seen_in(Bytes message) {
  Seen out;
  ByteReader reader(message);
  while (reader.remaining() > 0) {
    const wire::nts::Record record = wire::nts::read_record(reader);
    EXPECT_TRUE(reader.ok());
    if (!reader.ok()) break;
    out.bodies[record.type].push_back(to_hex(record.body));
    out.order.push_back(record.type);
  }
  return out;
}

class KeServerTest : public ::testing::Test {
 protected:
  // The reason, with the response in `seen_`.
  KeReason ask(const Octets& request, IpFamily family = IpFamily::kV4) {
    KeServer server(config_, family);
    const auto reason = server.feed(request, exporter_, cookies_);
    EXPECT_TRUE(reason.has_value());
    EXPECT_TRUE(server.done());
    seen_ = seen_in(server.response());
    aead_ = server.aead();
    return reason.value_or(KeReason::kLate);
  }
  // Expects an Error with `code` and nothing else.
  void expect_error(const Octets& request, KeReason reason, std::string_view code) {
    EXPECT_EQ(ask(request), reason);
    EXPECT_EQ(seen_.order, (std::vector<std::uint16_t>{type::kError, type::kEndOfMessage}));
    EXPECT_EQ(seen_.one(type::kError), code);
    EXPECT_FALSE(aead_);
  }
  SessionKeys keys_of(AeadId aead, GcmSivContext context) {
    return export_session_keys(exporter_, aead, context).value();
  }

  KeServerConfig config_ = both_algorithms();
  fake::TestExporter exporter_;
  fake::TestCookieMaker cookies_;
  Seen seen_;
  std::optional<AeadId> aead_;
};

TEST_F(KeServerTest, golden_octets_of_a_response) {
  KeServer server(config_, IpFamily::kV4);
  const Octets request = from_hex("80010002000080040002000f80000000").value();
  ASSERT_EQ(server.feed(request, exporter_, cookies_), KeReason::kEstablished);
  const std::string zeros(192, '0');
  std::string expected = "80010002000080040002000f";
  for (int i = 1; i <= 8; ++i) expected += "000500640000000" + std::to_string(i) + zeros;
  EXPECT_EQ(to_hex(server.response()), expected + "80000000");
}

TEST_F(KeServerTest, KES9_eight_cookies_that_differ_come_with_the_keys) {
  EXPECT_EQ(ask(Message().protocol().aeads({15}).end()), KeReason::kEstablished);
  EXPECT_EQ(seen_.one(type::kNextProtocol), "0000");
  EXPECT_EQ(seen_.one(type::kAead), "000f");
  const auto& cookies = seen_.bodies.at(type::kCookie);
  EXPECT_EQ(cookies.size(), 8u);
  EXPECT_EQ(std::set<std::string>(cookies.begin(), cookies.end()).size(), 8u);
  EXPECT_EQ(seen_.order.back(), type::kEndOfMessage);
  EXPECT_EQ(cookies_.sealed, keys_of(AeadId::kAesSivCmac256, GcmSivContext::kCompliant));
}

TEST_F(KeServerTest, KES1_a_request_of_1024_octets_is_read_octet_by_octet) {
  Message message;
  message.protocol().aeads({15});
  message.add(false, 0x4321, Octets(1024 - 6 - 6 - 4 - 4, std::byte{1}));
  const Octets request = message.end();
  ASSERT_EQ(request.size(), 1024u);
  KeServer server(config_, IpFamily::kV4);
  for (std::size_t i = 0; i + 1 < request.size(); ++i) {
    ASSERT_FALSE(server.feed(Bytes(request).subspan(i, 1), exporter_, cookies_)) << i;
  }
  EXPECT_EQ(server.feed(Bytes(request).last(1), exporter_, cookies_), KeReason::kEstablished);
  EXPECT_EQ(ask(request), KeReason::kEstablished);
}

TEST_F(KeServerTest, KES1_the_longest_request_is_read_and_one_octet_more_is_not) {
  const auto padded = [](std::size_t size) {
    Message message;
    message.protocol().aeads({15}).add(false, 0x4321, Octets(size - 20, std::byte{1}));
    return message.end();
  };
  EXPECT_EQ(padded(kMaxKeServerRequest).size(), kMaxKeServerRequest);
  EXPECT_EQ(ask(padded(kMaxKeServerRequest)), KeReason::kEstablished);
  expect_error(padded(kMaxKeServerRequest + 1), KeReason::kTooLong, "0001");
}

TEST_F(KeServerTest, KES2_an_unknown_critical_record_is_Error_0) {
  expect_error(Message().protocol().aeads({15}).add(true, 0x4321, {}).end(),
               KeReason::kUnrecognisedCritical, "0000");
}

TEST_F(KeServerTest, KES2_an_unknown_record_that_is_not_critical_is_ignored) {
  EXPECT_EQ(ask(Message().add(false, 0x4321, Octets(7)).protocol().aeads({15}).end()),
            KeReason::kEstablished);
  EXPECT_EQ(seen_.count(0x4321), 0u);
}

TEST_F(KeServerTest, KES3_what_is_malformed_is_Error_1) {
  const auto expect_bad = [&](Message message, KeReason reason) {
    expect_error(message.end(), reason, "0001");
  };
  expect_bad(Message(), KeReason::kNoProtocol);
  expect_bad(Message().aeads({15}), KeReason::kNoProtocol);
  expect_bad(Message().protocol(), KeReason::kNoAead);
  expect_bad(Message().protocol().protocol().aeads({15}), KeReason::kDuplicate);
  expect_bad(Message().protocol().aeads({15}).aeads({15}), KeReason::kDuplicate);
  expect_bad(Message().numbers(true, type::kNextProtocol, {}).aeads({15}), KeReason::kBadRecord);
  expect_bad(Message().add(true, type::kNextProtocol, Octets(3)).aeads({15}), KeReason::kBadRecord);
  expect_bad(Message().protocol().aeads({}), KeReason::kBadRecord);
  expect_bad(Message().protocol().add(true, type::kAead, Octets(1)), KeReason::kBadRecord);
  expect_bad(Message().numbers(false, type::kNextProtocol, {0}).aeads({15}),
             KeReason::kNotCritical);
  expect_bad(Message().protocol().aeads({15}).add(false, type::kPort, Octets(1)),
             KeReason::kBadRecord);
  expect_bad(Message().protocol().aeads({15}).text(false, type::kServer, "no name"),
             KeReason::kBadRecord);
  expect_bad(Message().protocol().aeads({15}).text(false, type::kServer, ""), KeReason::kBadRecord);
}

TEST_F(KeServerTest, KES3_an_End_of_Message_has_no_body_and_is_critical) {
  expect_error(Message().protocol().aeads({15}).add(true, 0, Octets(1)).so_far(),
               KeReason::kBadRecord, "0001");
  expect_error(Message().protocol().aeads({15}).add(false, 0, {}).so_far(), KeReason::kNotCritical,
               "0001");
}

TEST_F(KeServerTest, KES3_octets_behind_the_End_of_Message_are_Error_1) {
  Octets request = Message().protocol().aeads({15}).end();
  request.push_back(std::byte{0});
  expect_error(request, KeReason::kAfterEnd, "0001");
}

TEST_F(KeServerTest, KES3_the_end_of_the_connection_and_of_patience_are_Error_1) {
  const Octets half = Message().protocol().so_far();
  for (const KeReason reason : {KeReason::kEnded, KeReason::kLate}) {
    KeServer server(config_, IpFamily::kV4);
    EXPECT_FALSE(server.feed(half, exporter_, cookies_));
    EXPECT_EQ(reason == KeReason::kEnded ? server.handle_end() : server.handle_deadline(), reason);
    EXPECT_EQ(to_hex(server.response()), "80020002000180000000");
  }
}

TEST_F(KeServerTest, KES4_what_only_servers_send_is_Error_1) {
  for (const std::uint16_t number : {type::kError, type::kWarning, type::kCookie}) {
    expect_error(Message().protocol().aeads({15}).numbers(true, number, {0}).end(),
                 KeReason::kNotForClients, "0001");
  }
}

TEST_F(KeServerTest, KES5_without_NTPv4_the_list_of_protocols_is_empty) {
  EXPECT_EQ(ask(Message().numbers(true, type::kNextProtocol, {1, 7}).end()),
            KeReason::kNoCommonProtocol);
  EXPECT_EQ(seen_.order, (std::vector<std::uint16_t>{type::kNextProtocol, type::kEndOfMessage}));
  EXPECT_EQ(seen_.one(type::kNextProtocol), "");
}

TEST_F(KeServerTest, KES5_of_several_protocols_only_NTPv4_is_answered) {
  EXPECT_EQ(ask(Message().numbers(true, type::kNextProtocol, {9, 0}).aeads({15}).end()),
            KeReason::kEstablished);
  EXPECT_EQ(seen_.one(type::kNextProtocol), "0000");
}

TEST_F(KeServerTest, KES6_without_a_common_algorithm_its_list_is_empty) {
  EXPECT_EQ(ask(Message().protocol().aeads({16, 17}).end()), KeReason::kNoCommonAead);
  EXPECT_EQ(seen_.one(type::kNextProtocol), "0000");
  EXPECT_EQ(seen_.one(type::kAead), "");
  EXPECT_EQ(seen_.count(type::kCookie), 0u);
}

TEST_F(KeServerTest, KES7_AES_SIV_CMAC_256_is_taken_whenever_it_is_the_only_one_of_ours) {
  for (const auto& list : std::vector<std::vector<std::uint16_t>>{{15}, {17, 15}, {15, 15, 1}}) {
    EXPECT_EQ(ask(Message().protocol().aeads(list).end()), KeReason::kEstablished);
    EXPECT_EQ(seen_.one(type::kAead), "000f");
  }
}

TEST_F(KeServerTest, KES8_the_order_is_ours) {
  EXPECT_EQ(ask(Message().protocol().aeads({15, 30}).end()), KeReason::kEstablished);
  EXPECT_EQ(seen_.one(type::kAead), "001e");
  EXPECT_EQ(aead_, AeadId::kAes128GcmSiv);
  config_.aeads.clear();
  ASSERT_TRUE(config_.aeads.push_back(AeadId::kAesSivCmac256));
  EXPECT_EQ(ask(Message().protocol().aeads({30, 15}).end()), KeReason::kEstablished);
  EXPECT_EQ(seen_.one(type::kAead), "000f");
}

TEST_F(KeServerTest, a_client_that_sends_1024_gets_the_keys_of_the_RFC_and_1024_back) {
  ask(Message().protocol().aeads({30}).add(false, type::kCompliantGcmSiv, {}).end());
  EXPECT_EQ(seen_.one(type::kCompliantGcmSiv), "");
  EXPECT_EQ(cookies_.sealed, keys_of(AeadId::kAes128GcmSiv, GcmSivContext::kCompliant));
}

TEST_F(KeServerTest, a_client_without_1024_gets_the_keys_of_chrony_4_4) {
  ask(Message().protocol().aeads({30}).end());
  EXPECT_EQ(seen_.count(type::kCompliantGcmSiv), 0u);
  EXPECT_EQ(cookies_.sealed, keys_of(AeadId::kAes128GcmSiv, GcmSivContext::kOfChrony44));
  EXPECT_NE(cookies_.sealed, keys_of(AeadId::kAes128GcmSiv, GcmSivContext::kCompliant));
}

TEST_F(KeServerTest, record_1024_means_nothing_for_AES_SIV_CMAC_256) {
  ask(Message().protocol().aeads({15}).add(false, type::kCompliantGcmSiv, {}).end());
  EXPECT_EQ(seen_.count(type::kCompliantGcmSiv), 0u);
}

TEST_F(KeServerTest, without_a_configured_server_none_is_told) {
  ask(Message().protocol().aeads({15}).text(false, type::kServer, "other.example").end());
  EXPECT_EQ(seen_.count(type::kServer), 0u);
  EXPECT_EQ(seen_.count(type::kPort), 0u);
}

TEST_F(KeServerTest, KES10_the_first_server_of_the_connections_family_is_told) {
  config_.servers = {{"192.0.2.1", 123}, {"2001:db8::1", 1123}, {"ntp.example", 123}};
  ask(Message().protocol().aeads({15}).end(), IpFamily::kV4);
  EXPECT_EQ(from_hex(seen_.one(type::kServer)).value().size(), 9u);
  EXPECT_EQ(seen_.count(type::kPort), 0u);
  ask(Message().protocol().aeads({15}).end(), IpFamily::kV6);
  EXPECT_EQ(seen_.one(type::kServer), to_hex(std::as_bytes(std::span("2001:db8::1", 11))));
  EXPECT_EQ(seen_.one(type::kPort), "0463");
}

TEST_F(KeServerTest, KES10_a_port_can_be_told_without_a_name) {
  config_.servers = {{"", 11123}};
  ask(Message().protocol().aeads({15}).end());
  EXPECT_EQ(seen_.count(type::kServer), 0u);
  EXPECT_EQ(seen_.one(type::kPort), "2b73");
}

TEST_F(KeServerTest, KES11_a_server_that_the_client_asks_for_is_told_if_it_is_one_of_ours) {
  config_.servers = {{"a.example", 123}, {"b.example", 123}, {"b.example", 1123}};
  const auto server = [&](Message message) {
    EXPECT_EQ(ask(message.end()), KeReason::kEstablished);
    const Octets name = from_hex(seen_.one(type::kServer)).value();
    return std::string(reinterpret_cast<const char*>(name.data()), name.size()) + " " +
           (seen_.count(type::kPort) == 1 ? seen_.one(type::kPort) : "");
  };
  const auto request = [] { return Message().protocol().aeads({15}); };
  EXPECT_EQ(server(request().text(false, type::kServer, "B.Example.")), "b.example ");
  EXPECT_EQ(
      server(request().text(false, type::kServer, "b.example").numbers(false, type::kPort, {1123})),
      "b.example 0463");
  EXPECT_EQ(server(request().numbers(false, type::kPort, {1123})), "b.example 0463");
  EXPECT_EQ(server(request().text(false, type::kServer, "c.example")), "a.example ");
}

TEST_F(KeServerTest, KES12_without_keys_or_cookies_it_is_Error_2) {
  cookies_.most = 7;
  expect_error(Message().protocol().aeads({15}).end(), KeReason::kNoCookies, "0002");
  exporter_.broken = true;
  expect_error(Message().protocol().aeads({15}).end(), KeReason::kNoKeys, "0002");
}

TEST_F(KeServerTest, KS2_a_pools_record_without_a_token_is_as_an_unknown_critical_one) {
  for (std::uint16_t number = 9; number <= 12; ++number) {
    for (const bool critical : {true, false}) {
      expect_error(Message().protocol().aeads({15}).add(critical, number, {}).end(),
                   KeReason::kGatedRecord, "0000");
    }
  }
}

TEST_F(KeServerTest, KS1_keep_alive_a_deny_and_a_token_change_nothing) {
  Message message;
  message.text(false, type::kAuthenticationToken, "0123456789abcdef").protocol().aeads({15});
  message.add(false, type::kKeepAlive, {}).text(false, type::kServerDeny, "a.example");
  EXPECT_EQ(ask(message.end()), KeReason::kEstablished);
  EXPECT_EQ(seen_.count(type::kKeepAlive), 0u);
}

TEST_F(KeServerTest, the_longest_response_fits) {
  config_.servers = {{std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                          std::string(63, 'c') + "." + std::string(61, 'd'),
                      1}};
  ASSERT_EQ(config_.servers.front().name.size(), kMaxServerName);
  EXPECT_EQ(ask(Message().protocol().aeads({15}).end()), KeReason::kEstablished);
  EXPECT_EQ(seen_.count(type::kCookie), 8u);
}

TEST(KeReason, each_has_a_name_of_its_own_and_one_kind_of_response) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kKeReasonCount; ++i) {
    const auto reason = static_cast<KeReason>(i);
    EXPECT_TRUE(names.insert(name_of(reason)).second);
    EXPECT_EQ(error_code_of(reason).has_value(), i > 2);
  }
  EXPECT_EQ(name_of(KeReason::kEstablished), "established");
  EXPECT_EQ(name_of(KeReason::kNoCookies), "no_cookies");
  EXPECT_EQ(error_code_of(KeReason::kGatedRecord), 0);
  EXPECT_EQ(error_code_of(KeReason::kTooLong), 1);
  EXPECT_EQ(error_code_of(KeReason::kNoAead), 1);
  EXPECT_EQ(error_code_of(KeReason::kNoKeys), 2);
}

}  // namespace
}  // namespace timepool::nts
