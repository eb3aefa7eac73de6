// The ring, the text and the counters of queries. The log as a whole is tested with the program.
#include "dnsd/query_log.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/hex.h"
#include "dns/testing.h"
#include "dnsd/query_counts.h"
#include "dnsd/query_text.h"

namespace timepool::dnsd {
namespace {

using dns::testing::query_bytes;

struct Exchange {
  std::vector<std::byte> query = query_bytes({.name = "Pool.test", .subnet = "198.18.0.0/16"});
  std::vector<std::byte> reply;

  Exchange() {
    const auto zones =
        dns::testing::compile({{"pool.test", R"({"data": {"": {"a": [["10.0.0.1"]]}}})"}});
    reply = dns::testing::ask_bytes(*zones, query, "192.0.2.1").bytes;
  }
  SeenQuery seen() const {
    return {UnixTime::from_seconds(1'750'000'000),
            UnixTime::from_ns(1'750'000'000'000'000'300),
            {parse_ip("192.0.2.1").value(), 5353, 0},
            {parse_ip("192.0.2.53").value(), 53, 0},
            Transport::kUdp,
            dns::Reason::kAnswered,
            query,
            reply};
  }
};

TEST(QueryRing, gives_back_what_was_put_in_order_and_counts_what_found_no_place) {
  QueryRing ring;
  const Exchange exchange;
  SeenQuery seen = exchange.seen();
  for (std::size_t i = 0; i < QueryRing::kPlaces + 3; ++i) {
    seen.from.port = static_cast<std::uint16_t>(i);
    EXPECT_EQ(ring.put(seen), i < QueryRing::kPlaces);
  }
  EXPECT_EQ(ring.dropped(), 3U);
  QueryRing::Kept kept;
  for (std::size_t i = 0; i < QueryRing::kPlaces; ++i) {
    ASSERT_TRUE(ring.front(kept));
    ASSERT_EQ(kept.seen.from.port, i);
    ring.pop();
  }
  EXPECT_FALSE(ring.front(kept));
  EXPECT_EQ(to_hex(kept.seen.query), to_hex(exchange.query));
  EXPECT_EQ(to_hex(kept.seen.reply), to_hex(exchange.reply));
}

TEST(QueryRing, keeps_the_length_of_what_is_too_long_to_keep) {
  QueryRing ring;
  const std::vector<std::byte> query(QueryRing::kMaxQuery + 1);
  const std::vector<std::byte> reply(QueryRing::kMaxReply + 1);
  SeenQuery seen;
  seen.query = query;
  seen.reply = reply;
  ASSERT_TRUE(ring.put(seen));
  QueryRing::Kept kept;
  ASSERT_TRUE(ring.front(kept));
  EXPECT_EQ(kept.seen.query.size() + kept.seen.reply.size(), 0U);
  EXPECT_EQ(kept.query_size, query.size());
  EXPECT_EQ(kept.reply_size, reply.size());
  EXPECT_NE(json_line(kept).find("\"reply_size\":1537"), std::string::npos);
}

TEST(QueryText, a_line_of_json_has_the_query_and_its_answer) {
  const Exchange exchange;
  const std::string line =
      json_line({exchange.seen(), exchange.query.size(), exchange.reply.size()});
  ASSERT_EQ(line.back(), '\n');
  const auto object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("time").as_string(), "2025-06-15T15:06:40.000000Z");
  EXPECT_EQ(object.at("client").as_string(), "192.0.2.1");
  EXPECT_EQ(object.at("name").as_string(), "Pool.test.");
  EXPECT_EQ(object.at("subnet").as_string(), "198.18.0.0/16");
  EXPECT_EQ(object.at("reason").as_string(), "answered");
  EXPECT_EQ(object.at("answers").as_array().at(0).as_string(), "A 10.0.0.1");
}

// Any bytes that a client may have sent become one line.
TEST(QueryText, whatever_was_sent_is_one_line) {
  Prng prng(8);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::byte> bytes = query_bytes({.name = "a\\010b.test"});
    for (int k = 0; k < 4; ++k) {
      bytes[prng.below(bytes.size())] = static_cast<std::byte>(prng.below(256));
    }
    SeenQuery seen;
    seen.query = bytes;
    const std::string line = json_line({seen, bytes.size(), 0});
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_TRUE(boost::json::parse(line).is_object());
  }
}

// The frames by hand from the frame streams protocol and dnstap.proto.
TEST(QueryText, dnstap_has_the_octets_of_its_schema) {
  const auto hex = [](const std::string& text) {
    return to_hex(std::as_bytes(std::span(text.data(), text.size())));
  };
  EXPECT_EQ(hex(dnstap_start()),
            "00000000000000220000000200000001"
            "00000016"
            "70726f746f6275663a646e737461702e446e73746170");
  EXPECT_EQ(hex(dnstap_stop()), "000000000000000400000003");
  SeenQuery seen;
  seen.received = UnixTime::from_ns(1'000'000'007);
  seen.from = {parse_ip("192.0.2.1").value(), 300, 0};
  seen.to = {parse_ip("192.0.2.2").value(), 53, 0};
  const std::byte query[] = {std::byte{0xab}};
  seen.query = query;
  std::string out;
  append_dnstap({seen, 1, 0}, "n", out);
  EXPECT_EQ(hex(out),
            "00000037"
            "0a016e"                          // identity
            "120d74696d65706f6f6c2d646e7364"  // version
            "7801"                            // type MESSAGE
            "7221"                            // message
            "0801"
            "1001"
            "1801"  // AUTH_QUERY, INET, UDP
            "2204c0000201"
            "2a04c0000202"  // addresses
            "30ac02"
            "3835"  // ports
            "4001"
            "4d07000000"  // time
            "5201ab");
}

TEST(QueryCounts, every_country_has_a_label_of_its_own) {
  for (const char* text : {"aa", "de", "us", "zz"}) {
    EXPECT_EQ(country_label(country_index(dns::CountryCode::from_text(text))), text);
  }
  EXPECT_EQ(country_label(country_index({})), "unknown");
}

TEST(QueryCounts, each_query_has_one_reason_one_rcode_and_one_country) {
  QueryCounter counter;
  dns::Outcome outcome;
  counter.note(outcome, {});
  outcome.verdict = dns::Verdict::kReply;
  outcome.rcode = wire::dns::Rcode::kBadCookie;
  outcome.reason = dns::Reason::kBadCookie;
  outcome.type = wire::dns::RrType::kA;
  counter.note(outcome, dns::CountryCode::from_text("de"));
  counter.note_dropped(dns::Reason::kDroppedLong);
  const QueryCounts counts = counter.counts();
  const auto sum = [](const auto& array) {
    std::uint64_t out = 0;
    for (const std::uint64_t count : array) out += count;
    return out;
  };
  EXPECT_EQ(sum(counts.reasons), 3U);
  EXPECT_EQ(sum(counts.rcodes), 3U);
  EXPECT_EQ(sum(counts.countries), 3U);
  EXPECT_EQ(sum(counts.types), 1U);
}

}  // namespace
}  // namespace timepool::dnsd
