// Properties of the responder over random zones, clients and bytes; every seed is printed.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "dns/responder.h"
#include "dns/testing.h"

namespace timepool::dns {
namespace {

using dns::testing::Ask;
using dns::testing::ask;
using dns::testing::ask_bytes;
using dns::testing::Got;
using dns::testing::query_bytes;
using wire::dns::RrType;

// A pool: for each target some records whose addresses tell the target.
struct RandomPool {
  std::string json;
  std::map<std::string, std::set<std::string>> allowed;  // by label: addresses

  explicit RandomPool(Prng& prng) {
    json = R"({"ttl": 60, "max_hosts": 4, "targeting": "@ country continent asn ip", "data": {)";
    int index = 0;
    for (const char* label : {"", "de", "us", "fr", "europe", "asia", "as64500", "[198.18.9.0]",
                              "0", "0.us", "0.asia", "[2001:db8:1::5]", "0.[198.19.4.4]"}) {
      if (prng.below(4) == 0 && *label != '\0') continue;
      json += (index > 0 ? ",\"" : "\"") + std::string(label) + R"(": {"a": [)";
      const std::uint64_t count = 1 + prng.below(30);
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::string address = "10." + std::to_string(index) + ".0." + std::to_string(i);
        json += (i > 0 ? "," : "") + std::string("[\"") + address + "\", " +
                std::to_string(1 + prng.below(1000)) + "]";
        allowed[label].insert(address);
      }
      json += "]}";
      ++index;
    }
    json += "}}";
  }
};

std::string random_address(Prng& prng) {
  static const char* const kBases[] = {"198.18.0.0",   "198.18.5.0",  "198.18.9.0", "198.19.0.0",
                                       "198.51.100.0", "203.0.113.0", "192.0.2.0",  "8.0.0.0"};
  if (prng.below(4) == 0) {
    const char* nets[] = {"2001:db8:1::", "2001:db8:2::", "2001:db8:3::"};
    return nets[prng.below(3)] + std::to_string(prng.below(9));
  }
  const auto base = parse_ip(kBases[prng.below(8)]).value().v4_bits();
  return format(IpAddress::v4(
      base + static_cast<std::uint32_t>(prng.below(prng.below(2) == 0 ? 256 : 65536))));
}

std::set<std::string> addresses(const Got& got) {
  std::set<std::string> out;
  for (const std::string& record : got.answers()) out.insert(record.substr(record.rfind(' ') + 1));
  return out;
}

TEST(ResponderProperty, answers_are_of_one_allowed_label_and_scopes_hold) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    const RandomPool pool(prng);
    const auto zones = dns::testing::compile({{"pool.test", pool.json}});
    ASSERT_NE(zones, nullptr) << pool.json;
    for (int i = 0; i < 300; ++i) {
      const std::string name = prng.below(2) == 0 ? "pool.test" : "0.pool.test";
      const IpAddress client = parse_ip(random_address(prng)).value();
      const int bits = static_cast<int>(prng.below(static_cast<std::uint64_t>(client.bits()) + 1));
      const Prefix subnet(client, bits);
      if (bits == 0) continue;
      const Got got = ask(*zones, {.name = name, .subnet = format(subnet)}, "100.64.0.1");
      ASSERT_TRUE(got.message.has_value());
      if (got.outcome.reason == Reason::kNoData) continue;
      ASSERT_EQ(got.outcome.reason, Reason::kAnswered);
      const std::set<std::string> seen = addresses(got);
      const std::string* label = nullptr;
      for (const auto& [text, allowed] : pool.allowed) {
        if (allowed.contains(*seen.begin())) label = &text;
      }
      ASSERT_NE(label, nullptr);
      EXPECT_EQ(seen.size(), std::min<std::size_t>(4, pool.allowed.at(*label).size()));
      for (const std::string& address : seen) {
        EXPECT_TRUE(pool.allowed.at(*label).contains(address));
      }
      // Any client in the scope is answered from the same label.
      const int scope = got.scope();
      ASSERT_GE(scope, 0);
      ASSERT_LE(scope, client.bits());
      auto bytes =
          std::vector<std::byte>(subnet.base().bytes().begin(), subnet.base().bytes().end());
      for (int bit = scope; bit < client.bits(); ++bit) {
        if (prng.below(2) == 0)
          bytes[static_cast<std::size_t>(bit / 8)] ^= std::byte(0x80 >> bit % 8);
      }
      const IpAddress other = IpAddress::from_bytes(bytes);
      if (other.is_unspecified()) continue;
      const Got again =
          ask(*zones, {.name = name, .subnet = format(Prefix(other, other.bits()))}, "100.64.0.1");
      for (const std::string& address : addresses(again)) {
        EXPECT_TRUE(pool.allowed.at(*label).contains(address))
            << name << " from " << format(subnet) << " has scope " << scope << ", but "
            << format(other) << " gets " << address;
      }
    }
  }
}

TEST(ResponderProperty, frequencies_follow_the_weights) {
  // One of each answer: plain proportions. 20 records of weight 1 to 20; 42,000 queries.
  std::string records;
  for (int i = 1; i <= 20; ++i) {
    records += (i > 1 ? "," : "") + std::string("[\"10.0.0.") + std::to_string(i) + "\"," +
               std::to_string(i) + "]";
  }
  const auto zones = dns::testing::compile(
      {{"pool.test", R"({"max_hosts": 1, "data": {"": {"a": [)" + records + "]}}}"}});
  constexpr std::uint64_t kSeed = 99;
  SCOPED_TRACE("seed 99");
  constexpr int kQueries = 42'000;
  Worker worker(kSeed);
  const auto query = query_bytes({.name = "pool.test"});
  const ResponderSettings settings = dns::testing::settings();
  std::vector<std::byte> out(512);
  std::map<int, int> seen;
  for (int i = 0; i < kQueries; ++i) {
    const Rx rx{parse_ip("100.64.0.1").value(), false, 0};
    const Outcome outcome = respond(rx, query, {*zones, settings}, worker, out);
    ASSERT_EQ(outcome.reason, Reason::kAnswered);
    ++seen[std::to_integer<int>(out[outcome.length - 1U])];
  }
  double chi = 0;
  for (int i = 1; i <= 20; ++i) {
    const double expected = kQueries * i / 210.0;
    chi += (seen[i] - expected) * (seen[i] - expected) / expected;
  }
  // 19 degrees of freedom: 43.8 is the 99.9 % point.
  EXPECT_LT(chi, 43.8);
}

// Whatever comes in: one reason, a reply within the limit that parses and is no answer to a reply.
void check_any_bytes(const CompiledZones& zones, const std::vector<std::byte>& bytes, bool tcp) {
  const Got got = ask_bytes(zones, bytes, "198.18.0.1", tcp);
  ASSERT_LT(static_cast<std::size_t>(got.outcome.reason), kReasons);
  if (got.outcome.verdict == Verdict::kDrop) {
    ASSERT_EQ(got.outcome.length, 0);
    return;
  }
  ASSERT_TRUE(got.message.has_value());
  ASSERT_TRUE(got.message->header().has(wire::dns::Header::kQr));
  ASSERT_EQ(got.message->header().id,
            std::to_integer<int>(bytes[0]) << 8 | std::to_integer<int>(bytes[1]));
  if (!tcp) {
    ASSERT_LE(got.bytes.size(), 1232U);
    ASSERT_TRUE(got.message->edns() || got.bytes.size() <= 512U);
  }
}

TEST(ResponderProperty, any_bytes_get_one_reason_and_a_reply_within_the_limit) {
  constexpr std::uint64_t kSeed = 4711;
  SCOPED_TRACE("seed 4711");
  Prng prng(kSeed);
  const RandomPool pool(prng);
  const auto zones = dns::testing::compile({{"pool.test", pool.json}});
  ASSERT_NE(zones, nullptr);
  for (int i = 0; i < 30'000; ++i) {
    std::vector<std::byte> bytes;
    if (prng.below(3) == 0) {
      bytes.resize(prng.below(80));
      for (auto& b : bytes) b = static_cast<std::byte>(prng.below(256));
    } else {
      Ask question{.name = prng.below(2) == 0 ? "0.pool.test" : "version.bind"};
      question.type = static_cast<RrType>(prng.below(260));
      question.klass = static_cast<wire::dns::RrClass>(prng.below(3) == 0 ? 3 : 1);
      question.udp_size = static_cast<std::uint16_t>(prng.below(65536));
      if (prng.below(2) == 0) question.subnet = "198.18.0.0/15";
      question.nsid = prng.below(2) == 0;
      question.keepalive = prng.below(2) == 0;
      if (prng.below(2) == 0) question.cookie.resize(8 + prng.below(2) * 16);
      bytes = query_bytes(question);
      for (std::uint64_t flips = prng.below(4); flips > 0; --flips) {
        bytes[prng.below(bytes.size())] = static_cast<std::byte>(prng.below(256));
      }
      if (prng.below(8) == 0) bytes.resize(prng.below(bytes.size()));
    }
    check_any_bytes(*zones, bytes, prng.below(4) == 0);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace timepool::dns
