// The ids KEC and T are those of the project's checklist of RFC 8915.
#include "nts/ke_client.h"

#include <gtest/gtest.h>

#include <set>

#include "base/hex.h"
#include "nts/ke_server.h"
#include "nts/ke_testing.h"

namespace timepool::nts {
namespace {

using fake::Message;
using fake::Octets;
namespace type = wire::nts::record_type;

KeClientConfig offering(std::initializer_list<AeadId> aeads) {
  KeClientConfig out;
  for (const AeadId it : aeads) CHECK(out.aeads.push_back(it));
  return out;
}

class KeClientTest : public ::testing::Test {
 protected:
  Result<Establishment, KeClientError> read(const Octets& response) {
    KeClient client(config_);
    auto out = client.feed(response, exporter_);
    EXPECT_TRUE(out.has_value());
    EXPECT_TRUE(client.done());
    return out ? *out : Result<Establishment, KeClientError>(fail(client.handle_end()));
  }
  void expect_error(const Octets& response, KeClientError error) {
    const auto out = read(response);
    ASSERT_FALSE(out.ok()) << name_of(error);
    EXPECT_EQ(name_of(out.error()), name_of(error));
  }
  static Message good() { return Message().protocol().aeads({15}).cookie(100); }

  KeClientConfig config_ = offering({AeadId::kAes128GcmSiv, AeadId::kAesSivCmac256});
  fake::TestExporter exporter_;
};

TEST_F(KeClientTest, KEC1_golden_octets_of_the_requests) {
  EXPECT_EQ(to_hex(KeClient(offering({AeadId::kAesSivCmac256})).request()),
            "80010002000080040002000f80000000");
  EXPECT_EQ(to_hex(KeClient(config_).request()), "80010002000080040004001e000f0400000080000000");
}

TEST_F(KeClientTest, KEC1_a_wish_and_servers_that_it_has_are_not_critical) {
  config_ = offering({AeadId::kAesSivCmac256});
  config_.ntp_server = "a.example";
  config_.ntp_port = 1123;
  config_.denied = {"b.example"};
  EXPECT_EQ(to_hex(KeClient(config_).request()),
            "80010002000080040002000f"
            "00060009612e6578616d706c65"
            "000700020463"
            "000d0009622e6578616d706c65"
            "80000000");
}

TEST_F(KeClientTest, KEC1_the_longest_request_fits) {
  const std::string name = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                           std::string(63, 'c') + "." + std::string(61, 'd') + ".";
  config_.ntp_server = name;
  config_.ntp_port = 1;
  config_.denied.assign(kMaxDeniedServers, name);
  EXPECT_LE(KeClient(config_).request().size(), kMaxKeRequest);
}

TEST_F(KeClientTest, takes_keys_cookies_and_no_name_from_a_plain_response) {
  const auto out = read(good().cookie(96).end());
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->keys,
            export_session_keys(exporter_, AeadId::kAesSivCmac256, GcmSivContext::kCompliant));
  EXPECT_FALSE(out->other_keys);
  ASSERT_EQ(out->cookies.size(), 2u);
  EXPECT_EQ(out->cookies[0], Octets(100, std::byte{0x5c}));
  EXPECT_EQ(out->cookies[1].size(), 96u);
}

TEST_F(KeClientTest, KEC5_without_records_6_and_7_it_is_the_same_address_and_port_123) {
  const auto out = read(good().end());
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->server, "");
  EXPECT_EQ(out->port, 123);
}

TEST_F(KeClientTest, KEC6_the_server_and_port_that_are_told_are_taken) {
  const auto out = read(
      good().text(true, type::kServer, "ntp.example.").numbers(true, type::kPort, {4123}).end());
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->server, "ntp.example");
  EXPECT_EQ(out->port, 4123);
  EXPECT_EQ(read(good().text(false, type::kServer, "2001:db8::1").end())->server, "2001:db8::1");
}

TEST_F(KeClientTest, KEC2_a_response_of_65536_octets_is_read_in_any_pieces) {
  Message message = good();
  const std::size_t padding = kMaxKeResponse - message.so_far().size() - 2 * 4;
  const Octets response = message.add(false, 0x4321, Octets(padding, std::byte{7})).end();
  ASSERT_EQ(response.size(), kMaxKeResponse);
  EXPECT_TRUE(read(response).ok());
  KeClient client(config_);
  for (std::size_t i = 0; i + 1 < response.size(); ++i) {
    ASSERT_FALSE(client.feed(Bytes(response).subspan(i, 1), exporter_)) << i;
  }
  const auto out = client.feed(Bytes(response).last(1), exporter_);
  ASSERT_TRUE(out);
  EXPECT_TRUE(out->ok());
}

TEST_F(KeClientTest, KEC2_more_than_65536_octets_are_too_long) {
  Message message = good();
  message.add(false, 0x4321, Octets(65535)).cookie(100);
  expect_error(message.end(), KeClientError::kTooLong);
}

TEST_F(KeClientTest, KEC2_many_cookies_come_to_the_eight_first) {
  Message message = Message().protocol().aeads({15});
  for (std::size_t i = 0; i < 600; ++i) message.cookie(i < 8 ? 100 : 104);
  const auto out = read(message.end());
  ASSERT_TRUE(out.ok());
  ASSERT_EQ(out->cookies.size(), kMaxCookies);
  for (const Cookie& it : out->cookies) EXPECT_EQ(it.size(), 100u);
}

TEST_F(KeClientTest, KEC3_each_fault_has_its_error) {
  const auto expect = [&](Message message, KeClientError error) {
    expect_error(message.end(), error);
  };
  expect(Message().aeads({15}).cookie(100), KeClientError::kNoProtocol);
  expect(Message().protocol().cookie(100), KeClientError::kNoAead);
  expect(good().protocol(), KeClientError::kDuplicate);
  expect(good().aeads({15}), KeClientError::kDuplicate);
  expect(good().text(true, 6, "a").text(true, 6, "a"), KeClientError::kDuplicate);
  expect(good().numbers(true, 7, {1}).numbers(true, 7, {1}), KeClientError::kDuplicate);
  expect(Message().numbers(true, 1, {1}).aeads({15}).cookie(100),
         KeClientError::kProtocolNotOffered);
  expect(Message().numbers(true, 1, {0, 1}).aeads({15}).cookie(100),
         KeClientError::kProtocolNotOffered);
  expect(Message().numbers(true, 1, {}), KeClientError::kNoCommonProtocol);
  expect(Message().protocol().aeads({}), KeClientError::kNoCommonAead);
  expect(Message().protocol().aeads({17}).cookie(100), KeClientError::kAeadNotOffered);
  expect(Message().protocol().aeads({30, 15}).cookie(100), KeClientError::kManyAeads);
  expect(Message().protocol().aeads({15}), KeClientError::kNoCookies);
  expect(good().add(true, 0x4321, {}), KeClientError::kUnrecognisedCritical);
  expect(good().add(true, type::kPort, Octets(3)), KeClientError::kBadRecord);
  expect(good().numbers(true, type::kPort, {0}), KeClientError::kBadPort);
  expect(good().text(true, type::kServer, "fe80::1%lo"), KeClientError::kBadServerName);
  expect(Message().numbers(false, 1, {0}).aeads({15}).cookie(100), KeClientError::kNotCritical);
  expect(Message().add(true, 1, Octets(1)), KeClientError::kBadRecord);
  expect(Message().protocol().add(true, 4, Octets(3)), KeClientError::kBadRecord);
}

TEST_F(KeClientTest, KEC3_an_algorithm_that_it_has_but_did_not_offer_is_refused) {
  config_ = offering({AeadId::kAesSivCmac256});
  expect_error(Message().protocol().aeads({30}).cookie(68).end(), KeClientError::kAeadNotOffered);
}

TEST_F(KeClientTest, KEC3_the_End_of_Message_is_critical_empty_and_last) {
  expect_error(good().add(false, 0, {}).so_far(), KeClientError::kBadEnd);
  expect_error(good().add(true, 0, Octets(1)).so_far(), KeClientError::kBadEnd);
  Octets response = good().end();
  response.push_back(std::byte{0});
  expect_error(response, KeClientError::kAfterEnd);
}

TEST_F(KeClientTest, KEC3_a_response_that_ends_early_is_incomplete) {
  KeClient client(config_);
  EXPECT_FALSE(client.feed(good().so_far(), exporter_));
  EXPECT_EQ(client.handle_end(), KeClientError::kIncomplete);
}

TEST_F(KeClientTest, KEC4_an_Error_outdoes_everything_else_in_the_response) {
  expect_error(good().numbers(true, type::kError, {0}).end(), KeClientError::kErrorCritical);
  expect_error(Message().numbers(true, type::kError, {1}).end(), KeClientError::kErrorBadRequest);
  expect_error(Message().numbers(true, type::kError, {2}).end(), KeClientError::kErrorInternal);
  expect_error(Message().numbers(true, type::kError, {7}).end(), KeClientError::kErrorOther);
  expect_error(Message().add(true, type::kError, Octets(1)).end(), KeClientError::kBadRecord);
  expect_error(good().numbers(true, type::kWarning, {0}).end(), KeClientError::kWarning);
}

TEST_F(KeClientTest, KEC4_only_errors_0_and_1_forbid_the_same_request_again) {
  std::set<KeClientError> forbidden;
  for (std::size_t i = 0; i < kKeClientErrorCount; ++i) {
    const auto error = static_cast<KeClientError>(i);
    if (!may_retry_unmodified(error)) forbidden.insert(error);
  }
  EXPECT_EQ(forbidden, (std::set<KeClientError>{KeClientError::kErrorCritical,
                                                KeClientError::kErrorBadRequest}));
}

TEST_F(KeClientTest, KEC10_cookies_of_any_length_from_1_to_the_limit_are_taken) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{99}, std::size_t{256}, kMaxCookieSize}) {
    const auto out = read(Message().protocol().aeads({15}).cookie(size).end());
    ASSERT_TRUE(out.ok()) << size;
    EXPECT_EQ(out->cookies.front().size(), size);
  }
}

TEST_F(KeClientTest, KEC10_empty_and_huge_cookies_are_left) {
  const auto out = read(Message().protocol().aeads({15}).cookie(0).cookie(9).cookie(9000).end());
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->cookies.size(), 1u);
  expect_error(Message().protocol().aeads({15}).cookie(0).cookie(kMaxCookieSize + 1).end(),
               KeClientError::kNoCookies);
}

TEST_F(KeClientTest, a_server_that_echoes_1024_has_the_keys_of_the_RFC) {
  const auto out = read(
      Message().protocol().aeads({30}).add(false, type::kCompliantGcmSiv, {}).cookie(68).end());
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->keys,
            export_session_keys(exporter_, AeadId::kAes128GcmSiv, GcmSivContext::kCompliant));
  EXPECT_FALSE(out->other_keys);
}

TEST_F(KeClientTest, a_server_without_1024_is_tried_with_the_keys_of_chrony_4_4_first) {
  const auto out = read(Message().protocol().aeads({30}).cookie(68).end());
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->keys,
            export_session_keys(exporter_, AeadId::kAes128GcmSiv, GcmSivContext::kOfChrony44));
  EXPECT_EQ(out->other_keys,
            export_session_keys(exporter_, AeadId::kAes128GcmSiv, GcmSivContext::kCompliant));
}

TEST_F(KeClientTest, a_session_without_keys_establishes_nothing) {
  exporter_.broken = true;
  expect_error(good().end(), KeClientError::kNoKeys);
}

TEST_F(KeClientTest, client_and_server_come_to_the_same_keys) {
  for (const auto& aeads :
       {offering({AeadId::kAesSivCmac256}), offering({AeadId::kAes128GcmSiv}), config_}) {
    KeServerConfig config;
    ASSERT_TRUE(config.aeads.push_back(AeadId::kAes128GcmSiv));
    ASSERT_TRUE(config.aeads.push_back(AeadId::kAesSivCmac256));
    config.servers = {{"ntp.example", 4123}};
    fake::TestCookieMaker cookies;
    KeClient client(aeads);
    KeServer server(config, IpFamily::kV6);
    ASSERT_EQ(server.feed(client.request(), exporter_, cookies), KeReason::kEstablished);
    const auto out = client.feed(server.response(), exporter_);
    ASSERT_TRUE(out && out->ok());
    EXPECT_EQ((*out)->keys, cookies.sealed);
    EXPECT_EQ((*out)->cookies.size(), 8u);
    EXPECT_EQ((*out)->server, "ntp.example");
    EXPECT_EQ((*out)->port, 4123);
  }
}

TEST(KeClientErrorNames, each_has_a_name_and_a_sentence_of_its_own) {
  std::set<std::string_view> names;
  std::set<std::string_view> texts;
  for (std::size_t i = 0; i < kKeClientErrorCount; ++i) {
    EXPECT_TRUE(names.insert(name_of(static_cast<KeClientError>(i))).second);
    EXPECT_TRUE(texts.insert(describe(static_cast<KeClientError>(i))).second);
  }
  EXPECT_EQ(name_of(KeClientError::kTooLong), "too_long");
  EXPECT_EQ(name_of(KeClientError::kWarning), "warning");
  EXPECT_EQ(name_of(KeClientError::kNoKeys), "no_keys");
}

}  // namespace
}  // namespace timepool::nts
